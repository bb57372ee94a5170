import { disagreements, type IssuedClaim } from '../../entra/issued-for.ts';
import type { ExchangeSettings } from '../../entra/request.ts';
import type { IssuedToken } from '../../refresh/token-source.ts';
import { duration } from '../../support/duration.ts';
import { type JwtClaims, numericDateMs } from '../../support/jwt.ts';
import { boundedText } from '../../support/printable.ts';
import { Secret } from '../../support/secret.ts';
import { otherAudience, otherClient, otherTenant } from '../causes/access-token.ts';
import { type Finding, ok, skipped, wrong } from '../finding.ts';
import type { Scene } from '../scene.ts';

const STEP = 'access token';

/** What the access token says of itself, and whether that is what the settings ask for. */
export function checkAccessToken(
  { reading: { source } }: Scene,
  issued: IssuedToken | undefined,
): readonly Finding[] {
  if (issued === undefined) return [skipped(STEP, 'not looked at: there is none')];
  const { token } = issued;
  const claims = (typeof token === 'string' ? new Secret(token) : token).jwtClaims();
  if (claims === undefined) {
    return [ok(STEP, 'it is no JWT: it does not tell its life, nor whom it is for')];
  }
  const objections =
    source?.kind === 'workload-identity' ? objectionsTo(claims, source.exchange) : [];
  return [...told(claims), ...objections];
}

function told(claims: JwtClaims): readonly Finding[] {
  const startMs = numericDateMs(claims, 'nbf') ?? numericDateMs(claims, 'iat');
  const endMs = numericDateMs(claims, 'exp');
  const life =
    startMs === undefined || endMs === undefined
      ? 'it does not tell its life'
      : `its life is ${duration(endMs - startMs)}`;
  return [
    ok(STEP, `for ${show(claims['aud'])}; ${life}`),
    ok(
      STEP,
      `object id ${show(claims['oid'])}, client id ${show(clientOf(claims))}, tenant ${show(claims['tid'])}`,
    ),
  ];
}

function objectionsTo(claims: JwtClaims, settings: ExchangeSettings): readonly Finding[] {
  const { scope, tenantId, clientId } = settings;
  const findings: Readonly<Record<IssuedClaim, () => Finding>> = {
    audience: () => wrong(STEP, otherAudience, { claim: show(claims['aud']), setting: scope }),
    tenant: () => wrong(STEP, otherTenant, { claim: show(claims['tid']), setting: tenantId }),
    client: () => wrong(STEP, otherClient, { claim: show(clientOf(claims)), setting: clientId }),
  };
  return disagreements(claims, settings).map((claim) => findings[claim]());
}

function clientOf(claims: JwtClaims): unknown {
  return claims['appid'] ?? claims['azp'];
}

/** Nobody verified the claims: they are shown as text of bounded length. */
function show(claim: unknown): string {
  const texts = [claim].flat().filter((each) => typeof each === 'string');
  return texts.length === 0 ? 'untold' : boundedText(texts.join(', '));
}
