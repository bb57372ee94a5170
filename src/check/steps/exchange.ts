import type { Config } from '../../config/load.ts';
import type { SourceSettings } from '../../config/source.ts';
import { objectionsTo } from '../../entra/request.ts';
import { elapsedMs, leftMs } from '../../refresh/schedule.ts';
import { openSource } from '../../sources/open.ts';
import type { AccessToken } from '../../support/access-token.ts';
import { asPgpassdError } from '../../support/errors.ts';
import { type JwtClaims, numericDateMs } from '../../support/jwt.ts';
import { KnownSecrets } from '../../support/secret.ts';
import { duration, showClaim } from '../../support/text.ts';
import {
  type CheckContext,
  type Finding,
  failed,
  ok,
  skipped,
  timeoutMsOf,
  wrong,
} from '../step.ts';

const STEP = 'exchange';

export interface ExchangeReport {
  readonly findings: readonly Finding[];
  /** Absent when there is none. */
  readonly issued: AccessToken | undefined;
}

/** What an exchange needs, as earlier steps found it. */
export interface Prerequisites {
  /** Whether there is a federated token to send. */
  readonly usable: boolean;
  /** Whether the authority can be reached. */
  readonly reached: boolean;
}

/** One exchange, or one run of the token command, as the daemon would do it. */
export async function checkExchange(
  context: CheckContext,
  prerequisites: Prerequisites,
): Promise<ExchangeReport> {
  const { reading, env, clock, signal } = context;
  const { source, values } = reading;
  if (values.offline === true) return notTried('--offline');
  if (source === undefined) return notTried('the settings are incomplete');
  const obstacle = obstacleTo(source, prerequisites);
  if (obstacle !== undefined) return notTried(obstacle);
  const startedAt = clock.now();
  try {
    const requestTimeoutMs = timeoutMsOf(context);
    const secrets = new KnownSecrets();
    const sourceContext = { requestTimeoutMs, env, clock, onEvent: () => undefined, secrets };
    const { fetch } = await openSource(source, sourceContext);
    const issued = await fetch(signal);
    const now = clock.now();
    const validFor = duration(leftMs(issued.life, now));
    const took = duration(elapsedMs(startedAt, now));
    return {
      findings: [
        ok(STEP, `${issuerOf[source.kind]} gave a token in ${took}, valid for ${validFor}`),
      ],
      issued,
    };
  } catch (error) {
    const finding = signal.aborted
      ? skipped(STEP, 'interrupted')
      : failed(STEP, asPgpassdError(error));
    return { findings: [finding], issued: undefined };
  }
}

const issuerOf: Readonly<Record<SourceSettings['kind'], string>> = {
  'token-command': 'the token command',
  'workload-identity': 'Entra',
};

function notTried(why: string): ExchangeReport {
  return { findings: [skipped(STEP, `not tried: ${why}`)], issued: undefined };
}

function obstacleTo(
  { kind }: Config['source'],
  { usable, reached }: Prerequisites,
): string | undefined {
  if (kind === 'token-command') return undefined;
  if (!usable) return 'there is no federated token to send';
  return reached ? undefined : 'the authority cannot be reached';
}

/** The claims of the access token, and whether they are what the settings ask for. */
export function checkAccessToken(
  { reading: { source } }: CheckContext,
  issued: AccessToken | undefined,
): readonly Finding[] {
  if (issued === undefined) return [skipped('access token', 'not examined: there is none')];
  const claims = issued.token.jwtClaims();
  if (claims === undefined) {
    return [ok('access token', 'not a JWT, so its lifetime and its audience are unknown')];
  }
  const objections =
    source?.kind === 'workload-identity' ? objectionsTo(claims, source.exchange) : [];
  return [
    ...claimFindings(claims),
    ...objections.map((objection) => wrong('access token', objection)),
  ];
}

function claimFindings(claims: JwtClaims): readonly Finding[] {
  const startMs = numericDateMs(claims, 'nbf') ?? numericDateMs(claims, 'iat');
  const endMs = numericDateMs(claims, 'exp');
  const lifetime =
    startMs === undefined || endMs === undefined ? 'unknown' : duration(endMs - startMs);
  const audience = showClaim(claims['aud']);
  const clientId = showClaim(claims['appid'] ?? claims['azp']);
  return [
    ok('access token', `audience ${audience}; lifetime ${lifetime}`),
    ok(
      'access token',
      `object id ${showClaim(claims['oid'])}, client id ${clientId}, tenant ${showClaim(claims['tid'])}`,
    ),
  ];
}
