/** What a remedy can name, so that an operator can compare it with what Entra holds. */
export interface RefusedIdentity {
  readonly tenantId: string;
  readonly clientId: string;
  readonly scope: string;
  readonly issuer: string | undefined;
  readonly subject: string | undefined;
  readonly audience: readonly string[];
}

/** The same, fit for a sentence. */
type Words = Readonly<Record<keyof RefusedIdentity, string>>;

/** A sentence that lacks its end: `meaning.ts` adds it, together with who ends the failure. */
export type Remedy = (words: Words) => string;

export const matchIssuer: Remedy = ({ issuer }) =>
  `Set the issuer of the federated credential to ${issuer}, trailing slash included`;

export const matchSubject: Remedy = ({ subject }) =>
  `Set the subject of the federated credential to ${subject}, case included`;

export const matchAudience: Remedy = ({ audience }) =>
  `The token's audience is ${audience}: project it with api://AzureADTokenExchange, or set the federated credential's audience to it; in a pod with AKS identity bindings the exchange has to go through the token proxy, so see why AZURE_KUBERNETES_TOKEN_PROXY is not set`;

export const matchAll: Remedy = ({ clientId, issuer, subject, audience }) =>
  `Give ${clientId} a federated credential with issuer ${issuer}, subject ${subject} and audience ${audience}, exactly`;

export const matchCase: Remedy = ({ issuer, subject, audience }) =>
  `Write issuer ${issuer}, subject ${subject} and audience ${audience} into the federated credential in the same upper and lower case`;

export const addCredential: Remedy = ({ clientId, issuer, subject }) =>
  `Add a federated credential to ${clientId} (issuer ${issuer}, subject ${subject}), or correct AZURE_CLIENT_ID (--client-id)`;

export const allowIssuer: Remedy = ({ tenantId, issuer }) =>
  `Have an administrator of tenant ${tenantId} allow workload identity federation with issuer ${issuer}`;

export const realAssertion: Remedy = () =>
  'Point --federated-token-file (AZURE_FEDERATED_TOKEN_FILE) at the projected service-account token';

export const shorterAssertion: Remedy = () =>
  'Set the annotation azure.workload.identity/service-account-token-expiration to 86400 or less';

export const unexpiredAssertion: Remedy = () =>
  'Check that kubelet rotates the projected token (a subPath mount never changes) and that the clocks agree (NTP)';

export const notACertificate: Remedy = ({ clientId, issuer }) =>
  `Entra took the assertion, whose issuer is ${issuer}, for one signed with a certificate of ${clientId}: point --federated-token-file at the projected service-account token`;

export const noSecret: Remedy = ({ clientId }) =>
  `Remove client_secret from --token-param, since the federated token authenticates ${clientId}, or replace it by the value of a current secret`;

export const publishKeys: Remedy = ({ issuer }) =>
  `Publish the cluster's current signing keys at ${issuer} (after a key rotation Entra's copy of them can lag by 30 minutes)`;

export const mendKeys: Remedy = ({ issuer }) =>
  `Mend the document of signing keys (jwks_uri) that ${issuer} publishes, which Entra cannot read`;

export const reachIssuer: Remedy = ({ issuer }) =>
  `Make ${issuer} and its signing keys publicly reachable over https (on AKS, "az aks update" repairs its issuer)`;

export const checkClient: Remedy = ({ clientId, tenantId }) =>
  `Check that AZURE_CLIENT_ID (--client-id) ${clientId} is the client id, not the object id, of an identity in tenant ${tenantId}, and that it was not deleted`;

export const createPrincipal: Remedy = ({ clientId, tenantId }) =>
  `Create its service principal in tenant ${tenantId}: az ad sp create --id ${clientId}`;

export const enableApplication: Remedy = ({ clientId, tenantId }) =>
  `Enable the enterprise application of ${clientId} in tenant ${tenantId} again`;

export const confidentialClient: Remedy = ({ clientId }) =>
  `Turn off "Allow public client flows" in the app registration of ${clientId}`;

export const checkTenant: Remedy = ({ tenantId }) =>
  `Check AZURE_TENANT_ID (--tenant-id) ${tenantId}, and that AZURE_AUTHORITY_HOST (--authority-host) is its cloud`;

export const nameTenant: Remedy = ({ tenantId }) =>
  `If --token-endpoint is set, let it name tenant ${tenantId}, not "common" or "organizations"`;

export const otherCloud: Remedy = ({ tenantId }) =>
  `Set AZURE_AUTHORITY_HOST (--authority-host) to the cloud of tenant ${tenantId}`;

export const globalHost: Remedy = () =>
  'Set AZURE_AUTHORITY_HOST (--authority-host), or --token-endpoint, to a host of the whole cloud: a regional one takes no federated tokens';

export const checkScope: Remedy = ({ scope }) =>
  `Check --scope ${scope}: it must be the cloud's resource for Azure Database for PostgreSQL followed by /.default`;

export const findResource: Remedy = ({ scope, tenantId }) =>
  `Check that --scope ${scope} belongs to the tenant's cloud, and that tenant ${tenantId} has the service principal "Azure OSSRDBMS Database", enabled`;

export const consent: Remedy = ({ clientId, scope, tenantId }) =>
  `Grant ${clientId} an administrator's consent in tenant ${tenantId}, and check --scope ${scope}: Azure Database for PostgreSQL asks for none`;

export const assignIdentity: Remedy = ({ clientId, scope }) =>
  `Assign ${clientId} to the enterprise application of the resource in --scope ${scope}, or let that one do without assignment`;

export const conditionalAccess: Remedy = ({ clientId }) =>
  `Exclude ${clientId} from the Conditional Access policy for workload identities, or allow the pod's egress address in it`;

export const tenantRestrictions: Remedy = ({ tenantId }) =>
  `Have tenant ${tenantId} allowed where the egress proxy restricts tenants (Restrict-Access-To-Tenants, sec-Restrict-Tenant-Access-Policy)`;

export const slowDown: Remedy = () =>
  'Look for a second process or a crash loop that asks with the same identity';

export const waitForEntra: Remedy = () => 'Wait for Entra to recover';

export const supportCase: Remedy = ({ tenantId }) =>
  `Open a support case with Microsoft that names tenant ${tenantId} and the correlation id`;

export const fitRequest: Remedy = () =>
  "If --token-param or --token-endpoint is set, compare it with Entra's client credentials request";

export const noResource: Remedy = ({ scope }) =>
  `If --token-param sets resource, remove it, since --scope ${scope} names the resource`;

export const keepPost: Remedy = () =>
  'If --token-endpoint is set or a proxy is on the way, see that the POST arrives there as one';

export const foreignAnswer: Remedy = ({ clientId }) =>
  `This answer does not fit a client credentials request, such as pgpassd makes for ${clientId}: if --token-param (grant_type above all) or --token-endpoint is set, correct it`;

export const compareIdentity: Remedy = ({ clientId, tenantId }) =>
  `Compare the identity ${clientId} in tenant ${tenantId} and its federated credential with the message`;
