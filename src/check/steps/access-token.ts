import { objectionsTo } from '../../entra/issued-for.ts';
import type { AccessToken } from '../../support/access-token.ts';
import { type JwtClaims, numericDateMs } from '../../support/jwt.ts';
import { duration, showClaim } from '../../support/text.ts';
import { type Finding, ok, skipped, wrong } from '../finding.ts';
import type { Scene } from '../scene.ts';

const STEP = 'access token';

/** What the access token says of itself, and whether that is what the settings ask for. */
export function checkAccessToken(
  { reading: { source } }: Scene,
  issued: AccessToken | undefined,
): readonly Finding[] {
  if (issued === undefined) return [skipped(STEP, 'not looked at: there is none')];
  const claims = issued.token.jwtClaims();
  if (claims === undefined) {
    return [ok(STEP, 'it is no JWT: it does not tell its life, nor whom it is for')];
  }
  const objections =
    source?.kind === 'workload-identity' ? objectionsTo(claims, source.exchange) : [];
  return [...describe(claims), ...objections.map((objection) => wrong(STEP, objection))];
}

function describe(claims: JwtClaims): readonly Finding[] {
  const startMs = numericDateMs(claims, 'nbf') ?? numericDateMs(claims, 'iat');
  const endMs = numericDateMs(claims, 'exp');
  const life =
    startMs === undefined || endMs === undefined
      ? 'it does not tell its life'
      : `its life is ${duration(endMs - startMs)}`;
  return [
    ok(STEP, `for ${showClaim(claims['aud'])}; ${life}`),
    ok(
      STEP,
      `object id ${showClaim(claims['oid'])}, client id ${showClaim(clientOf(claims))}, tenant ${showClaim(claims['tid'])}`,
    ),
  ];
}

function clientOf(claims: JwtClaims): unknown {
  return claims['appid'] ?? claims['azp'];
}
