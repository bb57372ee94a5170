import { resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { loadWaitConfig, type WaitConfig } from '../config/wait-config.ts';
import { readPassfile } from '../passfile/inspect.ts';
import { explainUnready } from '../passfile/messages.ts';
import { judgeInSteps, type Unready } from '../passfile/unready.ts';
import { systemClock } from '../support/clock.ts';
import { untilAborted, withDeadline } from '../support/deadline.ts';
import type { PgpassdError } from '../support/errors.ts';
import { errorOf } from '../support/failure.ts';
import { FileWatcher } from '../support/file-watcher.ts';
import { inSteps } from '../support/steps.ts';
import type { Command, CommandContext } from './command.ts';
import { findProgram, handOver } from './hand-over.ts';

/**
 * Half of the 200 ms within which we want to be through after a publication, also where there is
 * nothing to watch with; to read so small a file ten times a second costs next to nothing.
 */
const POLL_INTERVAL_MS = 100;

/** Waits until the passfile lets a client log in; then becomes the program behind `--`, if there is one. */
export const wait: Command = async (context) => {
  const { env, rest, signal } = context;
  const config = loadWaitConfig(context.flags, env);
  const program = rest && (await findProgram(rest, env['PATH']));
  const failure = await untilReady(config, context);
  // A program that was to follow would not hear of the signal any more.
  if (signal.aborted && (failure ?? program) !== undefined) return signal.reason;
  if (failure !== undefined) throw failure;
  if (program !== undefined) handOver(program, env);
  return 0;
};

/** Resolves with the last reason if it is still in the way at the deadline, or when we are stopped. */
async function untilReady(
  { passfile, timeoutMs, ...wanted }: WaitConfig,
  { signal, tell }: CommandContext,
): Promise<PgpassdError | undefined> {
  const path = resolve(passfile);
  const ready = new AbortController();
  let unready: Unready | undefined = { kind: 'silent' };

  const explain = (reason: Unready) =>
    explainUnready(reason, {
      path,
      uid: process.getuid?.(),
      nowMs: systemClock.now().wallMs,
      minValidityMs: wanted.minValidityMs,
    });
  const look = async () => {
    const before = unready;
    const found = await readPassfile(path);
    const judgement = judgeInSteps(found, wanted, systemClock.now().wallMs);
    unready = await inSteps(judgement, setImmediate);
    if (unready === undefined) ready.abort();
    else if (!isDeepStrictEqual(unready, before)) tell(`waiting: ${explain(unready).found}`);
  };

  const watcher = new FileWatcher({
    path,
    clock: systemClock,
    pollIntervalMs: POLL_INTERVAL_MS,
    watching: true,
    check: look,
    // Polling alone is quick enough.
    onWatchFailed: () => {},
  });
  const attend = async (attempt: AbortSignal) => {
    await look();
    await watcher.run(AbortSignal.any([attempt, ready.signal]));
  };
  // A look at a volume that does not answer has no end.
  await withDeadline(systemClock, timeoutMs, signal, (attempt) =>
    untilAborted(attend(attempt), attempt),
  );
  return unready && errorOf(explain(unready));
}
