import { objectionsTo } from '../../entra/issued-for.ts';
import type { AccessToken } from '../../support/access-token.ts';
import { type JwtClaims, numericDateMs } from '../../support/jwt.ts';
import { duration, showClaim } from '../../support/text.ts';
import type { CheckContext } from '../context.ts';
import { type Finding, ok, skipped, wrong } from '../finding.ts';

const STEP = 'access token';

/** The claims of the access token, and whether they are what the settings ask for. */
export function checkAccessToken(
  { reading: { source } }: CheckContext,
  issued: AccessToken | undefined,
): readonly Finding[] {
  if (issued === undefined) return [skipped(STEP, 'not examined: there is none')];
  const claims = issued.token.jwtClaims();
  if (claims === undefined) {
    return [ok(STEP, 'not a JWT, so its lifetime and its audience are unknown')];
  }
  const objections =
    source?.kind === 'workload-identity' ? objectionsTo(claims, source.exchange) : [];
  return [...claimFindings(claims), ...objections.map((objection) => wrong(STEP, objection))];
}

function claimFindings(claims: JwtClaims): readonly Finding[] {
  const startMs = numericDateMs(claims, 'nbf') ?? numericDateMs(claims, 'iat');
  const endMs = numericDateMs(claims, 'exp');
  const lifetime =
    startMs === undefined || endMs === undefined ? 'unknown' : duration(endMs - startMs);
  const audience = showClaim(claims['aud']);
  const clientId = showClaim(claims['appid'] ?? claims['azp']);
  return [
    ok(STEP, `audience ${audience}; lifetime ${lifetime}`),
    ok(
      STEP,
      `object id ${showClaim(claims['oid'])}, client id ${clientId}, tenant ${showClaim(claims['tid'])}`,
    ),
  ];
}
