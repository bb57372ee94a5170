import { type Failure, failure } from '../support/errors.ts';
import type { JwtClaims } from '../support/jwt.ts';
import type { Secret } from '../support/secret.ts';
import { GUID, showClaim } from '../support/text.ts';

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

export const otherAudience = failure<'claim' | 'setting'>(
  'access-token-audience',
  'entra.bad-answer',
  ({ claim, setting }) => ({
    found: `the access token is for ${claim}, not for the resource in --scope ${setting}`,
    remedy:
      'Check --scope (PGPASSD_SCOPE), and scope and resource in --token-param; then where AZURE_AUTHORITY_HOST or --token-endpoint leads.',
  }),
);

export const otherTenant = failure<'claim' | 'setting'>(
  'access-token-tenant',
  'entra.bad-answer',
  ({ claim, setting }) => ({
    found: `the access token is from tenant ${claim}, not ${setting}`,
    remedy:
      'Check AZURE_TENANT_ID (--tenant-id), and the tenant in --token-endpoint if that is set.',
  }),
);

export const otherClient = failure<'claim' | 'setting'>(
  'access-token-client',
  'entra.bad-answer',
  ({ claim, setting }) => ({
    found: `the access token is for client ${claim}, not ${setting}`,
    remedy:
      'Check AZURE_CLIENT_ID (--client-id), and client_id in --token-param; then where AZURE_AUTHORITY_HOST or --token-endpoint leads.',
  }),
);

/**
 * Which of an access token's claims are not those of a token that `settings` ask for. A claim that is
 * absent, or that has no common form with its setting (a tenant's domain, a resource's id), is no
 * objection: https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
 */
export function objectionsTo(claims: JwtClaims, settings: ExchangeSettings): readonly Failure[] {
  const { audience, tenantId, clientId } = askedFor(settings);
  const client = claims['appid'] ?? claims['azp'];
  const objections = [
    agrees(claims['aud'], audience, RESOURCE_URI)
      ? undefined
      : otherAudience({ claim: showClaim(claims['aud']), setting: audience }),
    agrees(claims['tid'], tenantId, GUID)
      ? undefined
      : otherTenant({ claim: showClaim(claims['tid']), setting: tenantId }),
    agrees(client, clientId, GUID)
      ? undefined
      : otherClient({ claim: showClaim(client), setting: clientId }),
  ];
  return objections.filter((each) => each !== undefined);
}

/** What the request really asks for: fields of --token-param replace ours, and --token-endpoint names its tenant. */
function askedFor({ tokenEndpoint, tenantId, clientId, scope, extraFields }: ExchangeSettings) {
  const fields = new Map(extraFields);
  const [, tenantOfEndpoint = ''] = URL.parse(tokenEndpoint)?.pathname.split('/') ?? [];
  return {
    audience: withoutSlash(
      fields.get('resource') ?? (fields.get('scope') ?? scope).replace(/\/\.default$/, ''),
    ),
    tenantId: GUID.test(tenantOfEndpoint) ? tenantOfEndpoint : tenantId,
    clientId: fields.get('client_id') ?? clientId,
  };
}

const RESOURCE_URI = /^[a-z][a-z\d+.-]*:/i;

function agrees(claim: unknown, setting: string, form: RegExp): boolean {
  const texts = [claim].flat().filter((each) => typeof each === 'string');
  const values = texts.filter((each) => form.test(each));
  if (values.length === 0 || !form.test(setting)) return true;
  return values.some((each) => withoutSlash(each).toLowerCase() === setting.toLowerCase());
}

function withoutSlash(text: string): string {
  return text.replace(/\/$/, '');
}
