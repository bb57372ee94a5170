import { type Config, loadConfig } from '../config/config.ts';
import type { Log } from '../observe/log.ts';
import { createNarrator } from '../observe/narrator.ts';
import { volumeSilent } from '../passfile/causes.ts';
import type { RefreshEvent } from '../refresh/events.ts';
import { mayPassByItself } from '../refresh/retry.ts';
import { errorOf, tell } from '../support/cause.ts';
import { withDeadline } from '../support/deadline.ts';
import { PgpassdError } from '../support/errors.ts';
import { SHUTDOWN_MS } from '../support/shutdown.ts';
import { systemClock } from '../support/system-clock.ts';
import type { Command, CommandContext } from './command.ts';
import { createDaemon } from './daemon.ts';
import { withLog } from './with-log.ts';

const { signal: never } = new AbortController();

/** The daemon's own steps, until the passfile holds a valid token; for init containers and CronJobs. */
export const once: Command = async (context) => {
  const config = loadConfig(context.flags, context.env, 'once');
  return await withLog(config, context, (log) => obtain(config, context, log));
};

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
      void systemClock.sleep(SHUTDOWN_MS, never).then(() => settle(false));
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
    throw ended
      ? outOfTime(this.#config)
      : errorOf(tell(volumeSilent, { path: this.#config.passfile }));
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

/** A new token is as good as there is; one found in place has to last for --min-validity. */
function isSuccess(event: RefreshEvent, minValidityMs: number): boolean {
  if (event.type === 'token.refreshed') return event.token !== undefined;
  const inPlace = event.type === 'passfile.adopted' || event.type === 'token.unchanged';
  return inPlace && event.token.remainingMs >= minValidityMs;
}
