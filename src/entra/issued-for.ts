import { GUID } from '../support/guid.ts';
import type { JwtClaims } from '../support/jwt.ts';
import type { ExchangeSettings } from './request.ts';

/** What a token says it was issued for, and which setting asked for it. */
export type IssuedClaim = 'audience' | 'tenant' | 'client';

/** Whether an access token's claims are those of a token that `settings` would ask for. */
export function issuedFor(claims: JwtClaims, settings: ExchangeSettings): boolean {
  return disagreements(claims, settings).length === 0;
}

/**
 * The claims that are not what `settings` would ask for. A claim that is absent, or that has no
 * common form with its setting (a tenant's domain, a resource's id), is no objection:
 * https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
 */
export function disagreements(
  claims: JwtClaims,
  settings: ExchangeSettings,
): readonly IssuedClaim[] {
  const resource = withoutSlash(settings.scope.replace(/\/\.default$/, ''));
  const agreements: readonly (readonly [IssuedClaim, boolean])[] = [
    ['audience', agrees(claims['aud'], resource, RESOURCE_URI)],
    ['tenant', agrees(claims['tid'], settings.tenantId, GUID)],
    ['client', agrees(claims['appid'] ?? claims['azp'], settings.clientId, GUID)],
  ];
  return agreements.flatMap(([claim, agreed]) => (agreed ? [] : [claim]));
}

const RESOURCE_URI = /^[a-z][a-z\d+.-]*:/i;

function agrees(claim: unknown, setting: string, form: RegExp): boolean {
  const [value] = Array.isArray(claim) ? claim : [claim];
  if (typeof value !== 'string' || !form.test(value) || !form.test(setting)) return true;
  return withoutSlash(value).toLowerCase() === setting.toLowerCase();
}

function withoutSlash(text: string): string {
  return text.replace(/\/$/, '');
}
