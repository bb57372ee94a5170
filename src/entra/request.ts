import type { Secret } from '../support/secret.ts';

export interface ExchangeSettings {
  readonly tokenEndpoint: string;
  readonly tenantId: string;
  readonly clientId: string;
  readonly scope: string;
  /** Fields that are added to the form, or replace one of ours. */
  readonly extraFields?: readonly (readonly [name: string, value: string])[];
}

/**
 * The proxy inside the cluster that replaces Entra for pods with AKS identity bindings:
 * https://learn.microsoft.com/azure/aks/identity-bindings-concepts
 */
export interface TokenProxySettings {
  readonly url: URL;
  /** The name to ask for and to verify, when it is not the host of `url`. */
  readonly sniName: string | undefined;
  /** The CA to trust instead of the system's roots. */
  readonly ca: { readonly path: string } | { readonly pem: string } | undefined;
}

export interface TokenRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Holds the client assertion: never logged, never attached to an error. */
  readonly body: string;
}

/** `AUTHORITY/TENANT/oauth2/v2.0/token`, whether or not the authority host ends in a slash. */
export function tokenEndpointOf(authorityHost: URL, tenantId: string): string {
  return `${authorityHost.href.replace(/\/+$/, '')}/${tenantId}/oauth2/v2.0/token`;
}

/** The proxy expects Entra's own path below its own: only the origin and the prefix change. */
export function tokenProxyUrl(endpoint: string, proxy: URL): string {
  const { pathname, search } = new URL(endpoint);
  return `${proxy.origin}${proxy.pathname.replace(/\/+$/, '')}${pathname}${search}`;
}

/**
 * The client credentials grant with a federated client assertion, form-encoded exactly once:
 * https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow ("third case").
 */
export function tokenRequest(
  settings: ExchangeSettings,
  assertion: Secret,
  correlationId: string,
  userAgent: string,
): TokenRequest {
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: settings.clientId,
    scope: settings.scope,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion.unwrap(),
  });
  for (const [name, value] of settings.extraFields ?? []) form.set(name, value);
  return {
    url: settings.tokenEndpoint,
    headers: {
      accept: 'application/json',
      // Without it a gateway may compress the answer.
      'accept-encoding': 'identity',
      'content-type': 'application/x-www-form-urlencoded',
      'client-request-id': correlationId,
      'return-client-request-id': 'true',
      'user-agent': userAgent,
    },
    body: form.toString(),
  };
}

/**
 * The scope that names Azure Database for PostgreSQL in each cloud, by authority host: the
 * `ossrdbmsResourceId` of `az cloud show`, and the hosts that MSAL knows for each cloud.
 */
const clouds = [
  {
    hosts: [
      'login.microsoftonline.com',
      'login.windows.net',
      'login.microsoft.com',
      'sts.windows.net',
    ],
    scope: 'https://ossrdbms-aad.database.windows.net/.default',
  },
  {
    hosts: ['login.microsoftonline.us', 'login.usgovcloudapi.net'],
    scope: 'https://ossrdbms-aad.database.usgovcloudapi.net/.default',
  },
  {
    hosts: ['login.partner.microsoftonline.cn', 'login.chinacloudapi.cn'],
    scope: 'https://ossrdbms-aad.database.chinacloudapi.cn/.default',
  },
] as const;

/** The scope to ask an authority for; `undefined` for an authority we do not know. */
export function scopeOf(authorityHost: URL): string | undefined {
  return clouds.find(({ hosts }) => hosts.some((host) => host === authorityHost.hostname))?.scope;
}
