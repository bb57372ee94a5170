import type { Config } from '../../config/load.ts';
import { elapsedMs, leftMs } from '../../refresh/schedule.ts';
import { openSource } from '../../sources/open.ts';
import type { AccessToken } from '../../support/access-token.ts';
import { asPgpassdError } from '../../support/failure.ts';
import { KnownSecrets } from '../../support/secret.ts';
import { duration } from '../../support/text.ts';
import { type CheckContext, timeoutMsOf } from '../context.ts';
import { type Finding, failed, ok, skipped } from '../finding.ts';

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
    const issuer = source.kind === 'token-command' ? 'the token command' : 'Entra';
    const validFor = duration(leftMs(issued.life, now));
    const took = duration(elapsedMs(startedAt, now));
    return {
      findings: [ok(STEP, `${issuer} gave a token in ${took}, valid for ${validFor}`)],
      issued,
    };
  } catch (error) {
    const finding = signal.aborted
      ? skipped(STEP, 'interrupted')
      : failed(STEP, asPgpassdError(error));
    return { findings: [finding], issued: undefined };
  }
}

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
