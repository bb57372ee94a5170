import { type Config, loadConfig } from '../config/load.ts';
import type { SourceSettings } from '../config/source.ts';
import { createEventLogger } from '../observe/event-logger.ts';
import type { Log } from '../observe/log.ts';
import { volumeSilent } from '../passfile/messages.ts';
import type { RefreshEvent, TokenInPlace } from '../refresh/events.ts';
import { mayPassByItself } from '../refresh/schedule.ts';
import { systemClock, withDeadline } from '../support/clock.ts';
import {
  type ErrorCode,
  errorOf,
  type Failure,
  failure,
  type PgpassdError,
  type Values,
} from '../support/errors.ts';
import { duration } from '../support/text.ts';
import { type Command, type CommandContext, LONGEST_LAST_WRITE_MS } from './command.ts';
import { createDaemon, withLog } from './daemon.ts';

const { signal: never } = new AbortController();

/** Runs the daemon until the passfile holds a valid token; for init containers and CronJobs. */
export const once: Command = async (context) => {
  const config = attemptInTime(loadConfig(context.flags, context.env, 'once'));
  return await withLog(config, context, (log) => obtain(config, context, log));
};

/** The share of `--timeout` that one attempt may take, so that its own failure, with its phase, is reported. */
const ATTEMPT_SHARE = 0.9;

function attemptInTime(config: Config): Config {
  const { requestTimeoutMs, timeoutMs } = config;
  const longestMs = Math.floor(ATTEMPT_SHARE * timeoutMs);
  return { ...config, requestTimeoutMs: Math.min(requestTimeoutMs, longestMs) };
}

async function obtain(
  config: Config,
  { env, signal, onHangup }: CommandContext,
  log: Log,
): Promise<number> {
  const outcome = new Outcome(config);
  const logEvent = createEventLogger(systemClock, log);
  const daemon = await createDaemon(config, env, (event) => {
    logEvent(event);
    outcome.observe(event);
    // If the adopted token lasts for --min-validity, the run has ended by now; if not, another one is needed.
    if (event.type === 'passfile.adopted') daemon.refresh();
  });
  onHangup(() => daemon.refresh());
  const ended = await withDeadline(systemClock, config.timeoutMs, signal, (attempt) => {
    const over = AbortSignal.any([attempt, outcome.reached]);
    return endsInTime(daemon.run(over), over);
  });
  if (signal.aborted && !outcome.obtained) return signal.reason;
  outcome.conclude(ended);
  return 0;
}

/**
 * Whether `running` ends in time after `over` has aborted: a write that has begun is completed, unless
 * its volume does not respond.
 */
async function endsInTime(running: Promise<void>, over: AbortSignal): Promise<boolean> {
  const late = new Promise<false>((settle) => {
    over.addEventListener('abort', () => {
      void systemClock.sleep(LONGEST_LAST_WRITE_MS, never).then(() => settle(false));
    });
  });
  return await Promise.race([running.then(() => true), late]);
}

/** Whether `once` has succeeded, or why it cannot. */
class Outcome {
  readonly #config: Config;
  readonly #reached = new AbortController();
  #error: PgpassdError | undefined;

  constructor(config: Config) {
    this.#config = config;
  }

  get reached(): AbortSignal {
    return this.#reached.signal;
  }

  /** Whether the passfile holds a valid token. */
  get obtained(): boolean {
    return this.reached.aborted && this.#error === undefined;
  }

  observe(event: RefreshEvent): void {
    if (event.type === 'refresh.failed') this.#error = event.error;
    if (event.type === 'token.unchanged') {
      this.#error = errorOf(cachedToken(this.#config, event.token));
    }
    if (isSuccess(event, this.#config.minValidityMs)) this.#error = undefined;
    else if (event.type !== 'refresh.failed' || mayPassByItself(event.error.code)) return;
    this.#reached.abort();
  }

  /**
   * Throws the last failure unless the passfile holds a valid token. `ended`: whether the daemon ended,
   * which a volume that does not respond prevents.
   */
  conclude(ended: boolean): void {
    if (this.#error !== undefined) throw this.#error;
    if (this.reached.aborted) return;
    const { passfile } = this.#config;
    throw errorOf(ended ? timedOut(this.#config) : volumeSilent({ path: passfile }));
  }
}

function timedOut({ source, timeoutMs }: Config): Failure {
  const limit = { seconds: timeoutMs / 1000 };
  return outOfTimeOf[source.kind](limit);
}

/** The source returned the current token again, or one that expires earlier. */
function cachedToken({ source, minValidityMs }: Config, { remainingMs }: TokenInPlace): Failure {
  const values = { left: duration(remainingMs), minValidity: duration(minValidityMs) };
  return tokenCachedOf[source.kind](values);
}

/** A new token is always good enough; a token that was already in the passfile has to last for --min-validity. */
function isSuccess(event: RefreshEvent, minValidityMs: number): boolean {
  if (event.type === 'token.refreshed') return event.token !== undefined;
  const inPlace = event.type === 'passfile.adopted' || event.type === 'token.unchanged';
  return inPlace && event.token.remainingMs >= minValidityMs;
}

const outOfTime = (id: string, code: ErrorCode, check: string) =>
  failure<'seconds'>(id, code, ({ seconds }) => ({
    found: `no token was obtained within ${seconds} s`,
    remedy: `${check}, or raise --timeout (PGPASSD_TIMEOUT).`,
  }));

export const commandOutOfTime = outOfTime(
  'token-command-out-of-time',
  'token-command.failed',
  'Find out what the command of --token-command waits for',
);

export const entraOutOfTime = outOfTime(
  'entra-out-of-time',
  'entra.timeout',
  'Check the egress of the pod (NetworkPolicy, firewall, proxy)',
);

const cached = (issuer: string, { left, minValidity }: Values<'left' | 'minValidity'>) =>
  `${issuer} returned no newer token than the current one, which is valid for ${left}; --min-validity requires ${minValidity}`;

const WAIT_OR_ACCEPT =
  'or raise --timeout (PGPASSD_TIMEOUT), or lower --min-validity (PGPASSD_MIN_VALIDITY).';

export const commandTokenCached = failure<'left' | 'minValidity'>(
  'token-command-token-cached',
  'token-command.failed',
  (values) => ({
    found: cached('the command of --token-command', values),
    remedy: `Check whether the command returns cached tokens, ${WAIT_OR_ACCEPT}`,
  }),
);

export const entraTokenCached = failure<'left' | 'minValidity'>(
  'entra-token-cached',
  'entra.bad-answer',
  (values) => ({
    found: cached('Entra', values),
    remedy: `Check whether something between pgpassd and Entra returns cached tokens, ${WAIT_OR_ACCEPT}`,
  }),
);

const outOfTimeOf = {
  'token-command': commandOutOfTime,
  'workload-identity': entraOutOfTime,
} as const satisfies Readonly<Record<SourceSettings['kind'], unknown>>;

const tokenCachedOf = {
  'token-command': commandTokenCached,
  'workload-identity': entraTokenCached,
} as const satisfies Readonly<Record<SourceSettings['kind'], unknown>>;
