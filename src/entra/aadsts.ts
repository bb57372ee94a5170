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

type Remedy = (words: Words) => string;

const checkClient: Remedy = ({ clientId, tenantId }) =>
  `Check that AZURE_CLIENT_ID (--client-id) ${clientId} is the client id, not the object id, of an identity in tenant ${tenantId}, and that it was not deleted.`;
const matchIssuer: Remedy = ({ issuer }) =>
  `Set the issuer of the federated credential to ${issuer}, trailing slash included; a new credential takes some minutes to spread.`;
const matchSubject: Remedy = ({ subject }) =>
  `Set the subject of the federated credential to ${subject}, case included; a new credential takes some minutes to spread.`;
const matchAudience: Remedy = ({ audience }) =>
  `The token's audience is ${audience}: project it with api://AzureADTokenExchange, or set the federated credential's audience to it; in a pod with AKS identity bindings the exchange has to go through the token proxy, so see why AZURE_KUBERNETES_TOKEN_PROXY is not set.`;
const matchAll: Remedy = ({ issuer, subject, audience }) =>
  `Create a federated credential with issuer ${issuer}, subject ${subject} and audience ${audience}, exactly; a new one takes some minutes to spread.`;
const addCredential: Remedy = ({ clientId, issuer, subject }) =>
  `Add a federated credential to ${clientId} (issuer ${issuer}, subject ${subject}), or correct AZURE_CLIENT_ID; a new one takes some minutes to spread.`;
const checkTenant: Remedy = ({ tenantId }) =>
  `Check AZURE_TENANT_ID (--tenant-id) ${tenantId}, and that AZURE_AUTHORITY_HOST (--authority-host) is its cloud.`;
const checkScope: Remedy = ({ scope }) =>
  `Check --scope ${scope}: it must be the cloud's resource for Azure Database for PostgreSQL followed by /.default.`;
const otherCloud: Remedy = () =>
  "Set AZURE_AUTHORITY_HOST (--authority-host) to the tenant's own cloud.";
const publishKeys: Remedy = ({ issuer }) =>
  `Publish the cluster's current signing keys at ${issuer}; after a key rotation Entra's cache can lag by 30 minutes.`;
const reachIssuer: Remedy = ({ issuer }) =>
  `Make ${issuer} and its signing keys publicly reachable over https; on AKS "az aks update" repairs its issuer.`;
const unexpiredAssertion: Remedy = () =>
  'Check that kubelet rotates the projected token (a subPath mount never changes) and that the clocks agree (NTP).';
const realAssertion: Remedy = () =>
  'Point --federated-token-file (AZURE_FEDERATED_TOKEN_FILE) at the projected service-account token.';
const shorterAssertion: Remedy = () =>
  'Set the annotation azure.workload.identity/service-account-token-expiration to 86400 or less.';
const createPrincipal: Remedy = ({ clientId, tenantId }) =>
  `Create its service principal in tenant ${tenantId}: az ad sp create --id ${clientId}.`;
const enableApplication: Remedy = () => 'Enable the enterprise application in Entra again.';
const conditionalAccess: Remedy = ({ clientId }) =>
  `Exclude ${clientId} from the Conditional Access policy for workload identities, or allow the pod's egress address in it.`;
const slowDown: Remedy = () =>
  'Look for a second process or a crash loop that asks with the same identity.';

/**
 * Remedies by AADSTS code. Entra's status and `error` decide what a failure is; the code only
 * chooses the words, since codes may change: https://learn.microsoft.com/entra/identity-platform/reference-error-codes
 */
const remedies: Readonly<Record<number, Remedy>> = {
  50027: realAssertion,
  50166: reachIssuer,
  50196: slowDown,
  53003: conditionalAccess,
  70001: checkClient,
  70011: checkScope,
  70021: matchAll,
  70023: shorterAssertion,
  70025: addCredential,
  90002: checkTenant,
  90038: otherCloud,
  90061: reachIssuer,
  500011: checkScope,
  700011: checkClient,
  700016: checkClient,
  700024: unexpiredAssertion,
  700211: matchIssuer,
  700212: matchAudience,
  700213: matchSubject,
  700222: realAssertion,
  900021: checkTenant,
  900023: checkTenant,
  900382: otherCloud,
  900432: otherCloud,
  900612: publishKeys,
  1002012: checkScope,
  7000112: enableApplication,
  7000229: createPrincipal,
  7000272: publishKeys,
  7002138: matchAll,
};

const anyRefusal: Remedy = ({ clientId, tenantId }) =>
  `Compare the identity ${clientId} in tenant ${tenantId} and its federated credential with the message.`;

/** One sentence for the operator about a refusal; a general one for a code we do not know. */
export function remedyFor(code: number | undefined, identity: RefusedIdentity): string {
  const remedy = code === undefined ? undefined : remedies[code];
  return (remedy ?? anyRefusal)({
    ...identity,
    issuer: identity.issuer ?? "the token's iss",
    subject: identity.subject ?? "the token's sub",
    audience: identity.audience.join(', ') || "the token's aud",
  });
}
