import { type Failure, failure } from '../support/errors.ts';
import type { JwtClaims } from '../support/jwt.ts';
import { GUID, showClaim } from '../support/text.ts';
import type { ExchangeSettings } from './request.ts';

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
