import type { Config } from '../../config/config.ts';
import { elapsedMs, leftMs } from '../../refresh/schedule.ts';
import { openSource } from '../../sources/open.ts';
import type { AccessToken } from '../../support/access-token.ts';
import { duration } from '../../support/duration.ts';
import { asPgpassdError } from '../../support/errors.ts';
import { KnownSecrets } from '../../support/known-secrets.ts';
import { type Finding, failed, ok, skipped } from '../finding.ts';
import { type Scene, timeoutMsOf } from '../scene.ts';

const STEP = 'exchange';

export interface ExchangeReport {
  readonly findings: readonly Finding[];
  /** Absent when there is none. */
  readonly issued: AccessToken | undefined;
}

/** What earlier steps found of what an exchange takes. */
export interface Prospects {
  /** Whether there is a federated token to send. */
  readonly usable: boolean;
  /** Whether the authority can be reached. */
  readonly reached: boolean;
}

/** One exchange, or one run of the token command, as the daemon would do it. */
export async function checkExchange(scene: Scene, prospects: Prospects): Promise<ExchangeReport> {
  const { reading, env, clock, signal } = scene;
  const { source, values } = reading;
  if (values.offline === true) return notTried('--offline');
  if (source === undefined) return notTried('it takes settings that are whole');
  const obstacle = obstacleTo(source, prospects);
  if (obstacle !== undefined) return notTried(obstacle);
  const startedAt = clock.now();
  try {
    const requestTimeoutMs = timeoutMsOf(scene);
    const secrets = new KnownSecrets();
    const context = { requestTimeoutMs, env, clock, onEvent: () => undefined, secrets };
    const { fetch } = await openSource(source, context);
    const issued = await fetch(signal);
    const now = clock.now();
    const giver = source.kind === 'token-command' ? 'the token command' : 'Entra';
    const life = duration(leftMs(issued.life, now));
    const took = duration(elapsedMs(startedAt, now));
    return {
      findings: [ok(STEP, `${giver} gave a token in ${took}, good for ${life}`)],
      issued,
    };
  } catch (error) {
    const finding = signal.aborted
      ? skipped(STEP, 'broken off')
      : failed(STEP, asPgpassdError(error));
    return { findings: [finding], issued: undefined };
  }
}

function notTried(why: string): ExchangeReport {
  return { findings: [skipped(STEP, `not tried: ${why}`)], issued: undefined };
}

function obstacleTo(
  { kind }: Config['source'],
  { usable, reached }: Prospects,
): string | undefined {
  if (kind === 'token-command') return undefined;
  if (!usable) return 'there is no federated token that could be sent';
  return reached ? undefined : 'the authority cannot be reached';
}
