import { type Config, loadConfig } from '../config/config.ts';
import type { Log } from '../observe/log.ts';
import { createNarrator } from '../observe/narrator.ts';
import { volumeSilent } from '../passfile/messages.ts';
import type { RefreshEvent, TokenInPlace } from '../refresh/events.ts';
import { mayPassByItself } from '../refresh/retry.ts';
import { systemClock } from '../support/clock.ts';
import { withDeadline } from '../support/deadline.ts';
import { PgpassdError } from '../support/errors.ts';
import { errorOf } from '../support/failure.ts';
import { LONGEST_LAST_WRITE_MS } from '../support/shutdown.ts';
import { duration } from '../support/text.ts';
import type { Command, CommandContext } from './command.ts';
import { createDaemon } from './daemon.ts';
import { withLog } from './with-log.ts';

const { signal: never } = new AbortController();

/** The daemon's own steps, until the passfile holds a valid token; for init containers and CronJobs. */
export const once: Command = async (context) => {
  const config = attemptInTime(loadConfig(context.flags, context.env, 'once'));
  return await withLog(config, context, (log) => obtain(config, context, log));
};

/** An attempt takes no more than this of `--timeout`, so that its own failure is told, with its phase. */
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
  const narrate = createNarrator(systemClock);
  const daemon = await createDaemon(config, env, (event) => {
    log(narrate(event));
    outcome.notice(event);
    // In service, but not for long enough: here that is reason enough to ask for another.
    if (event.type === 'passfile.adopted') daemon.refresher.refresh();
  });
  onHangup(() => daemon.refresher.refresh());
  const ended = await withDeadline(systemClock, config.timeoutMs, signal, (attempt) => {
    const over = AbortSignal.any([attempt, outcome.reached]);
    return endsInTime(daemon.run(over), over);
  });
  if (signal.aborted && !outcome.obtained) return signal.reason;
  outcome.conclude(ended);
  return 0;
}

/**
 * Whether `running` comes to its end after `over` has aborted: a write that has begun is seen to its
 * end, unless its volume does not answer.
 */
async function endsInTime(running: Promise<void>, over: AbortSignal): Promise<boolean> {
  const late = new Promise<false>((settle) => {
    over.addEventListener('abort', () => {
      void systemClock.sleep(LONGEST_LAST_WRITE_MS, never).then(() => settle(false));
    });
  });
  return await Promise.race([running.then(() => true), late]);
}

/** Whether `once` has what it came for, or why it never will. */
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

  /** Whether a valid token is in place. */
  get obtained(): boolean {
    return this.reached.aborted && this.#error === undefined;
  }

  notice(event: RefreshEvent): void {
    if (event.type === 'refresh.failed') this.#error = event.error;
    if (event.type === 'token.unchanged') this.#error = tooShort(this.#config, event.token);
    if (isSuccess(event, this.#config.minValidityMs)) this.#error = undefined;
    else if (event.type !== 'refresh.failed' || mayPassByItself(event.error.code)) return;
    this.#reached.abort();
  }

  /**
   * Throws the last failure unless a valid token is in place. `ended`: whether the daemon came to its
   * end, which a volume that does not answer keeps it from.
   */
  conclude(ended: boolean): void {
    if (this.#error !== undefined) throw this.#error;
    if (this.reached.aborted) return;
    throw ended ? outOfTime(this.#config) : errorOf(volumeSilent({ path: this.#config.passfile }));
  }
}

function outOfTime({ source, timeoutMs }: Config): PgpassdError {
  const what = `no token was obtained within ${timeoutMs / 1000} s`;
  return source.kind === 'token-command'
    ? new PgpassdError(
        'token-command.failed',
        what,
        'See what the command of --token-command waits for, or allow more with --timeout.',
      )
    : new PgpassdError(
        'entra.timeout',
        what,
        'Check the way out of the pod (NetworkPolicy, firewall, proxy), or allow more with --timeout.',
      );
}

/** The source gave the token in place again, or one that ends before it. */
function tooShort({ source, minValidityMs }: Config, { remainingMs }: TokenInPlace): PgpassdError {
  const isCommand = source.kind === 'token-command';
  const who = isCommand ? 'the command of --token-command' : 'Entra';
  const keeper = isCommand ? 'that command' : 'something between pgpassd and Entra';
  return new PgpassdError(
    isCommand ? 'token-command.failed' : 'entra.bad-answer',
    `${who} gives no newer token than the one in place, which is valid for ${duration(remainingMs)}: --min-validity asks for ${duration(minValidityMs)}`,
    `See whether ${keeper} hands out tokens that it has kept, or allow more with --timeout (PGPASSD_TIMEOUT), or ask for less with --min-validity (PGPASSD_MIN_VALIDITY).`,
  );
}

/** A new token is as good as there is; one found in place has to last for --min-validity. */
function isSuccess(event: RefreshEvent, minValidityMs: number): boolean {
  if (event.type === 'token.refreshed') return event.token !== undefined;
  const inPlace = event.type === 'passfile.adopted' || event.type === 'token.unchanged';
  return inPlace && event.token.remainingMs >= minValidityMs;
}
