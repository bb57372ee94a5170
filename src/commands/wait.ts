import { resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { loadWaitConfig, type WaitConfig } from '../config/load.ts';
import { readPassfile } from '../passfile/inspect.ts';
import { explainUnready } from '../passfile/messages.ts';
import { judgeInSteps, type Unready } from '../passfile/unready.ts';
import { inSteps, systemClock, untilAborted, withDeadline } from '../support/clock.ts';
import { errorOf, type PgpassdError } from '../support/errors.ts';
import { FileWatcher } from '../support/file-watcher.ts';
import type { Command, CommandContext } from './command.ts';
import { exec, findProgram } from './exec.ts';

/**
 * `wait` is to end within 200 ms of a publication, even if the file cannot be watched. Reading so small a
 * file ten times a second costs almost nothing.
 */
const POLL_INTERVAL_MS = 100;

/** Waits until a client can log in with the passfile, and then executes the program after `--`, if any. */
export const wait: Command = async (context) => {
  const { env, rest, signal } = context;
  const config = loadWaitConfig(context.flags, env);
  const program = rest && (await findProgram(rest, env['PATH']));
  const failure = await untilReady(config, context);
  // The program would not get the signal any more.
  if (signal.aborted && (failure ?? program) !== undefined) return signal.reason;
  if (failure !== undefined) throw failure;
  if (program !== undefined) exec(program, env);
  return 0;
};

/** Resolves with the reason that still applies at the deadline, or when the process is stopped. */
async function untilReady(
  { passfile, timeoutMs, ...wanted }: WaitConfig,
  { signal, printToStderr }: CommandContext,
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
    else if (!isDeepStrictEqual(unready, before))
      printToStderr(`waiting: ${explain(unready).found}`);
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
  // Reading from a volume that does not respond never ends.
  await withDeadline(systemClock, timeoutMs, signal, (attempt) =>
    untilAborted(attend(attempt), attempt),
  );
  return unready && errorOf(explain(unready));
}
