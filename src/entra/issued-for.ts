import type { JwtClaims } from '../support/jwt.ts';
import type { ExchangeSettings } from './request.ts';

/**
 * Whether an access token's claims are those of a token that `settings` would ask for. A claim that
 * is absent, or that has no common form with its setting (a tenant's domain, a resource's id), is no
 * objection: https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
 */
export function issuedFor(claims: JwtClaims, settings: ExchangeSettings): boolean {
  const resource = withoutSlash(settings.scope.replace(/\/\.default$/, ''));
  return (
    agrees(claims['appid'] ?? claims['azp'], settings.clientId, GUID) &&
    agrees(claims['tid'], settings.tenantId, GUID) &&
    agrees(claims['aud'], resource, RESOURCE_URI)
  );
}

const GUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;
const RESOURCE_URI = /^[a-z][a-z\d+.-]*:/i;

function agrees(claim: unknown, setting: string, form: RegExp): boolean {
  const [value] = Array.isArray(claim) ? claim : [claim];
  if (typeof value !== 'string' || !form.test(value) || !form.test(setting)) return true;
  return withoutSlash(value).toLowerCase() === setting.toLowerCase();
}

function withoutSlash(text: string): string {
  return text.replace(/\/$/, '');
}
