import type { ErrorCode, Nature, Values } from '../support/errors.ts';
import { sanitizeValue } from '../support/text.ts';

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
type Words = Values<keyof RefusedIdentity>;

/** Without its end, which follows from the nature: see `endings`. */
type Remedy = (words: Words) => string;

/** What resolves a failure of the exchange, and what an operator can do about it. */
export interface Diagnosis {
  readonly nature: Nature;
  readonly remedy: string;
  /** Whether the remedy asks for a report that names the correlation id. */
  readonly isReportable: boolean;
}

export type RefusalCode = Extract<
  ErrorCode,
  'entra.refused' | 'entra.throttled' | 'entra.unavailable'
>;

interface Row {
  /** AADSTS codes. */
  readonly codes?: readonly number[];
  /** The values of `error` that mean the same when there is no known code. */
  readonly errors?: readonly string[];
  readonly nature: Nature;
  readonly remedy: Remedy;
  readonly isReportable?: boolean;
}

const throttled: Row = {
  codes: [50196, 90055],
  nature: 'transient',
  remedy: () =>
    'Look for a crash loop, or for another program that requests tokens for this identity very often',
};

const unavailable: Row = {
  codes: [90033, 90006, 90012, 90024, 90090, 90091, 50033, 50000],
  nature: 'transient',
  remedy: () => 'Wait for Entra to recover',
};

const refused: Row = {
  nature: 'operator',
  remedy: ({ clientId, tenantId }) =>
    `Compare the identity ${clientId} in tenant ${tenantId} and its federated credential with the message`,
};

const checkClient: Remedy = ({ clientId, tenantId }) =>
  `Check that AZURE_CLIENT_ID (--client-id) ${clientId} is the client id, not the object id, of an identity in tenant ${tenantId}, and that the identity was not deleted`;

/** A token for the API server, which every pod has: its audience is a URL, and it may live for a year. */
const isForApiServer = ({ audience }: Words) => String(audience).startsWith('https://');

const useProjectedToken: Remedy = ({ audience }) =>
  `--federated-token-file (AZURE_FEDERATED_TOKEN_FILE) names a token for the API server (audience ${audience}): set it to the token that the workload identity webhook projects`;

/** An issuer whose keys Entra cannot fetch: one inside the cluster, and that of tokens in Secrets. */
const isInsideCluster = ({ issuer }: Words) =>
  /^(?:https?:\/\/)?kubernetes\.default\b|^http:|^kubernetes\/serviceaccount$/.test(String(issuer));

const enableOidcIssuer: Remedy = ({ issuer }) =>
  `Entra cannot reach the issuer ${issuer}: enable the OIDC issuer of the cluster (az aks update --enable-oidc-issuer), recreate the pod, and set the issuer of the federated credential to the new one`;

/**
 * What a failure means for a client that has a federated token, and what to do about it: one row for
 * each remedy. Entra's status and `error` decide what a failure is, since codes may change; a code only
 * chooses the remedy and how patiently to retry.
 *
 * AADSTS codes: https://learn.microsoft.com/entra/identity-platform/reference-error-codes
 * `error`: RFC 6749 section 5.2, and Entra's own `invalid_tenant` and `invalid_resource`.
 */
const rows: readonly Row[] = [
  // The federated credential and the federated token do not agree.
  {
    codes: [700211],
    nature: 'propagating',
    remedy: (words) =>
      isInsideCluster(words)
        ? enableOidcIssuer(words)
        : `Set the issuer of the federated credential to ${words.issuer}, including the trailing slash if it has one`,
  },
  {
    codes: [700213],
    nature: 'propagating',
    remedy: ({ subject }) =>
      `If the pod should use another service account, set its serviceAccountName; otherwise set the subject of the federated credential to ${subject}, in the same upper and lower case`,
  },
  {
    codes: [700212],
    nature: 'operator',
    remedy: (words) =>
      isForApiServer(words)
        ? useProjectedToken(words)
        : `The token's audience is ${words.audience}: project it with api://AzureADTokenExchange, or set the federated credential's audience to it; in a pod with AKS identity bindings the exchange has to use the token proxy, so check why AZURE_KUBERNETES_TOKEN_PROXY is not set`,
  },
  {
    codes: [70021],
    errors: ['invalid_client'],
    nature: 'propagating',
    remedy: (words) => {
      if (isForApiServer(words)) return useProjectedToken(words);
      if (isInsideCluster(words)) return enableOidcIssuer(words);
      const { clientId, issuer, subject, audience } = words;
      return `Give ${clientId} a federated credential with exactly issuer ${issuer}, subject ${subject} and audience ${audience}`;
    },
  },
  {
    codes: [7002138, 7002131],
    nature: 'operator',
    remedy: ({ issuer, subject, audience }) =>
      `Set issuer ${issuer}, subject ${subject} and audience ${audience} of the federated credential in the same upper and lower case`,
  },
  {
    codes: [70025],
    nature: 'propagating',
    remedy: ({ clientId, issuer, subject }) =>
      `Add a federated credential to ${clientId} (issuer ${issuer}, subject ${subject}), or correct AZURE_CLIENT_ID (--client-id)`,
  },
  {
    codes: [700223, 700238, 7002381],
    nature: 'operator',
    remedy: ({ tenantId, issuer }) =>
      `Ask an administrator of tenant ${tenantId} to allow workload identity federation with issuer ${issuer}`,
  },

  // The federated token itself is not accepted.
  {
    codes: [50027, 700222, 700229],
    nature: 'operator',
    remedy: () =>
      'Point --federated-token-file (AZURE_FEDERATED_TOKEN_FILE) at the projected service-account token',
  },
  {
    codes: [70023],
    nature: 'operator',
    remedy: (words) =>
      isForApiServer(words)
        ? useProjectedToken(words)
        : 'Set the annotation azure.workload.identity/service-account-token-expiration to 86400 or less',
  },
  {
    codes: [700024],
    nature: 'operator',
    remedy: () =>
      'Check that kubelet rotates the projected token (a subPath mount never changes) and that the clocks agree (NTP)',
  },
  {
    codes: [700027, 50012],
    nature: 'operator',
    remedy: ({ clientId, issuer }) =>
      `Entra took the client assertion, whose issuer is ${issuer}, for one that is signed with a certificate of ${clientId}: set --federated-token-file to the projected service-account token`,
  },
  {
    codes: [7000215, 7000222],
    nature: 'operator',
    remedy: ({ clientId }) =>
      `Remove client_secret from --token-param, since the federated token authenticates ${clientId}, or replace it with the value of a current secret`,
  },

  // Entra reads the issuer's signing keys.
  {
    codes: [7000272],
    nature: 'propagating',
    remedy: ({ issuer }) =>
      `Publish the cluster's current signing keys at ${issuer} (after a key rotation Entra's copy of them can lag by 30 minutes)`,
  },
  {
    codes: [900612],
    nature: 'operator',
    remedy: ({ issuer }) =>
      `Fix the document of signing keys (jwks_uri) that ${issuer} publishes: Entra cannot read it`,
  },
  {
    codes: [90061, 50166],
    nature: 'transient',
    remedy: (words) =>
      isInsideCluster(words)
        ? enableOidcIssuer(words)
        : `Make ${words.issuer} and its signing keys publicly reachable over https (on AKS, "az aks update" repairs its issuer)`,
  },

  // The identity.
  { codes: [700016], nature: 'propagating', remedy: checkClient },
  {
    codes: [700011, 70001],
    errors: ['unauthorized_client'],
    nature: 'operator',
    remedy: checkClient,
  },
  {
    codes: [7000229],
    nature: 'operator',
    remedy: ({ clientId, tenantId }) =>
      `Create its service principal in tenant ${tenantId}: az ad sp create --id ${clientId}`,
  },
  {
    codes: [7000112],
    nature: 'operator',
    remedy: ({ clientId, tenantId }) =>
      `Enable the enterprise application of ${clientId} in tenant ${tenantId} again`,
  },
  {
    codes: [700025],
    nature: 'operator',
    remedy: ({ clientId }) =>
      `Turn off "Allow public client flows" in the app registration of ${clientId}`,
  },

  // The tenant and its cloud.
  {
    codes: [90002, 900021, 900023],
    errors: ['invalid_tenant'],
    nature: 'operator',
    remedy: ({ tenantId }) =>
      `Check AZURE_TENANT_ID (--tenant-id) ${tenantId}, and that AZURE_AUTHORITY_HOST (--authority-host) is its cloud`,
  },
  {
    codes: [90019, 50059, 50128],
    nature: 'ours',
    remedy: ({ tenantId }) =>
      `If --token-endpoint is set, let it name tenant ${tenantId}, not "common" or "organizations"`,
  },
  {
    codes: [90038, 900382, 900432],
    nature: 'operator',
    remedy: ({ tenantId }) =>
      `Set AZURE_AUTHORITY_HOST (--authority-host) to the cloud of tenant ${tenantId}`,
  },
  {
    codes: [100007],
    nature: 'operator',
    remedy: () =>
      'Set AZURE_AUTHORITY_HOST (--authority-host), or --token-endpoint, to the host of the whole cloud: a regional host does not accept federated tokens',
  },

  // The resource.
  {
    codes: [500011, 50001, 650052, 650057],
    errors: ['invalid_resource'],
    nature: 'operator',
    remedy: ({ scope, tenantId }) =>
      `Check that --scope ${scope} belongs to the tenant's cloud, and that tenant ${tenantId} has the service principal "Azure OSSRDBMS Database", enabled`,
  },
  {
    codes: [70011, 1002012, 28002, 700022, 700023],
    errors: ['invalid_scope'],
    nature: 'operator',
    remedy: ({ scope }) =>
      `Check --scope ${scope}: it must be the cloud's resource for Azure Database for PostgreSQL followed by /.default`,
  },
  {
    codes: [65001, 90094],
    nature: 'operator',
    remedy: ({ clientId, scope, tenantId }) =>
      `Grant ${clientId} an administrator's consent in tenant ${tenantId}, and check --scope ${scope}: Azure Database for PostgreSQL requires none`,
  },
  {
    codes: [501051, 50105],
    nature: 'operator',
    remedy: ({ clientId, scope }) =>
      `Assign ${clientId} to the enterprise application of the resource in --scope ${scope}, or turn off "Assignment required" there`,
  },

  // Policies.
  {
    codes: [530032, 530034, 530035, ...range(53000, 53011)],
    nature: 'operator',
    remedy: ({ clientId }) =>
      `Exclude ${clientId} from the Conditional Access policy for workload identities, or allow the pod's egress address in it`,
  },
  {
    codes: [500021, 500022, 500212, 500213],
    nature: 'operator',
    remedy: ({ tenantId }) =>
      `Allow tenant ${tenantId} where the egress proxy restricts tenants (Restrict-Access-To-Tenants, sec-Restrict-Tenant-Access-Policy)`,
  },

  // Entra is asked too often, or has a failure of its own.
  throttled,
  unavailable,
  {
    codes: [90036, 90092],
    nature: 'operator',
    remedy: ({ tenantId }) =>
      `Open a support case with Microsoft that names tenant ${tenantId} and the correlation id`,
    isReportable: true,
  },

  // The request: as pgpassd makes it, as a setting changes it, or as it arrives.
  {
    codes: [7000218, 900144, 9002313],
    errors: ['invalid_request', 'unsupported_grant_type'],
    nature: 'ours',
    remedy: () =>
      "If --token-param or --token-endpoint is set, compare it with Entra's client credentials request",
  },
  {
    codes: [901002],
    nature: 'ours',
    remedy: ({ scope }) =>
      `If --token-param sets resource, remove it, since --scope ${scope} names the resource`,
  },
  {
    codes: [900561],
    nature: 'ours',
    remedy: () =>
      'If --token-endpoint is set or a proxy is in between, check that the POST request arrives as one',
  },

  // Answers to certificates, to users' assertions, to browsers and to users' passwords.
  {
    codes: [700030, 500133, 50013, 900971, 50126, 50034, 50076, 50079, 50053],
    nature: 'ours',
    remedy: ({ clientId }) =>
      `This answer does not fit the client credentials request that pgpassd makes for ${clientId}: if --token-param (above all grant_type) or --token-endpoint is set, correct it`,
  },
];

/** What a failure is when neither its code nor its `error` is known. */
const otherwise: Readonly<Record<RefusalCode, Row>> = {
  'entra.refused': refused,
  'entra.throttled': throttled,
  'entra.unavailable': unavailable,
};

const endings: Readonly<Record<Nature, string>> = {
  transient: '; pgpassd retries by itself, and the current token can be used until it expires.',
  propagating:
    '; a recent change can take some minutes to take effect, and pgpassd keeps retrying.',
  operator: '.',
  ours: '; otherwise report this with the correlation id.',
};

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

const byCode = new Map(
  rows.flatMap((row) => (row.codes ?? []).map((code) => [code, row] as const)),
);
const byError = new Map<unknown, Row>(
  rows.flatMap((row) => (row.errors ?? []).map((error) => [error, row] as const)),
);

/** Every AADSTS code that has a row, ascending. */
export const documentedCodes: readonly number[] = [...byCode.keys()].toSorted((a, b) => a - b);

/** What an AADSTS code means for this identity; `undefined` for an unknown code. */
export function explainCode(code: number, identity: RefusedIdentity): Diagnosis | undefined {
  const row = byCode.get(code);
  return row && diagnosisOf(row, wordsOf(identity));
}

export interface Refusal {
  readonly code: RefusalCode;
  readonly aadsts?: number | undefined;
  /** Of the answer's body. */
  readonly error?: unknown;
}

/** What a refusal means: by its AADSTS code, else by its `error`, else by its own code. */
export function explainRefusal({ code, aadsts = -1, error }: Refusal, words: Words): Diagnosis {
  const known = code === 'entra.throttled' ? undefined : byCode.get(aadsts);
  const named = code === 'entra.refused' ? byError.get(error) : undefined;
  return diagnosisOf(known ?? named ?? otherwise[code], words);
}

function diagnosisOf({ nature, remedy, isReportable }: Row, words: Words): Diagnosis {
  return {
    nature,
    remedy: remedy(words) + endings[nature],
    isReportable: isReportable ?? nature === 'ours',
  };
}

export function wordsOf(identity: RefusedIdentity): Words {
  return {
    tenantId: sanitizeValue(identity.tenantId),
    clientId: sanitizeValue(identity.clientId),
    scope: sanitizeValue(identity.scope),
    issuer: sanitizeValue(identity.issuer ?? "the token's iss"),
    subject: sanitizeValue(identity.subject ?? "the token's sub"),
    audience: sanitizeValue(identity.audience.join(', ') || "the token's aud"),
  };
}
