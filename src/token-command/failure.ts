import {
  errorOf,
  type Failure,
  failure,
  type PgpassdError,
  type Values,
} from '../support/errors.ts';
import { redactJwts, type Secret } from '../support/secret.ts';
import { HIDING, programName, redactSecrets } from '../support/text.ts';

/** How a run of the token command ended. */
export type Ending =
  /** By itself, or by a signal of another process: one of the two is set. */
  | { readonly kind: 'ended'; readonly code: number | null; readonly signal: string | null }
  /** With the system's code, such as `ENOENT`. */
  | { readonly kind: 'not-started'; readonly systemCode: string }
  /** Killed because it printed too much. */
  | { readonly kind: 'flooded' }
  /** Killed at its deadline, or because the caller no longer wanted it. */
  | { readonly kind: 'stopped' };

export interface FailedRun {
  /** The program alone: an argument may hold a password. */
  readonly program: string;
  readonly ending: Ending;
  readonly deadlineMs: number;
  /** As `sanitizeStderr` gives them; the first is quoted. */
  readonly stderrLines: readonly string[];
  /** The system's code if pgpassd could not start other processes either, such as `EAGAIN`. */
  readonly shortage?: string | undefined;
}

const RUN_BY_HAND =
  'Run the command of --token-command by hand, as the same user and with the same environment.';

const commandFailure = <Name extends string = never>(
  id: string,
  explain: (values: Values<Name>) => readonly [problem: string, remedy: string],
) =>
  failure<Name | 'program'>(id, 'token-command.failed', (values) => {
    const [problem, remedy] = explain(values);
    return { found: `the token command ${values.program} ${problem}`, remedy };
  });

export const commandNotFound = commandFailure('token-command-not-found', () => [
  'was not found',
  'Install it in the container of pgpassd, or give its full path in --token-command, which is run without a shell.',
]);

export const commandNotExecutable = commandFailure('token-command-not-executable', () => [
  'is not executable by this user',
  'Make the program of --token-command executable for the user that pgpassd runs as.',
]);

export const commandNotStarted = commandFailure<'code'>('token-command-not-started', ({ code }) => [
  `could not be started (${code})`,
  RUN_BY_HAND,
]);

export const commandTimedOut = commandFailure<'seconds'>(
  'token-command-timed-out',
  ({ seconds }) => [
    `did not exit within ${seconds} s and was killed`,
    'Find out what the command of --token-command waits for, or allow more time with --request-timeout (with once also --timeout).',
  ],
);

export const commandFlooded = commandFailure('token-command-flooded', () => [
  'printed more than 1 MiB and was killed',
  'Make the command of --token-command print only the token, or JSON that contains it.',
]);

export const commandExited = commandFailure<'exitCode'>('token-command-exited', ({ exitCode }) => [
  `exited with code ${exitCode}`,
  RUN_BY_HAND,
]);

export const commandKilled = commandFailure<'signal'>('token-command-killed', ({ signal }) => [
  `was killed by ${signal}`,
  RUN_BY_HAND,
]);

/** What to do when the system has too little of something to start a process, by its code. */
const shortageRemedies: Readonly<Record<string, string>> = {
  EAGAIN:
    'Check which processes of the pod never end or have many threads, run an init as process 1 as the image does, or raise the limit of processes (podPidsLimit, ulimit -u).',
  EMFILE: 'Raise the limit of open files (ulimit -n) of pgpassd.',
  ENFILE: 'Raise fs.file-max on the node.',
  ENOMEM: 'Raise the memory limit of the container, or check what uses the memory of the node.',
};

/** The error of a run that did not succeed: `token-command.failed`. */
export function explainFailure(run: FailedRun): PgpassdError {
  const { ending, shortage, stderrLines } = run;
  const systemCode = ending.kind === 'not-started' ? ending.systemCode : shortage;
  const reason = reasonOf(run);
  const [said] = stderrLines;
  return errorOf(
    {
      ...reason,
      found: said === undefined ? reason.found : `${reason.found}: ${said}`,
      remedy: shortageRemedies[systemCode ?? ''] ?? reason.remedy,
    },
    systemCode === undefined ? {} : { details: { systemCode } },
  );
}

function reasonOf({ program: path, ending, deadlineMs }: FailedRun): Failure {
  const program = programName(path);
  switch (ending.kind) {
    case 'not-started': {
      const { systemCode: code } = ending;
      if (code === 'ENOENT') return commandNotFound({ program });
      if (code === 'EACCES') return commandNotExecutable({ program });
      return commandNotStarted({ program, code });
    }
    case 'stopped':
      return commandTimedOut({ program, seconds: deadlineMs / 1000 });
    case 'flooded':
      return commandFlooded({ program });
    case 'ended':
      return ending.signal === null
        ? commandExited({ program, exitCode: String(ending.code) })
        : commandKilled({ program, signal: ending.signal });
  }
}

const LONGEST_LINE = 200;

/** More lines than this are not read. */
const MOST_LINES = 50;

/** Together with what hides text, the rest of a colour's code. */
const UNPRINTABLE = new RegExp(String.raw`${HIDING.source}(?:\[[\d;]*m)?`, 'gu');

/**
 * The first lines of a command's stderr as they may be shown: short, printable, not blank, and
 * without a piece of `secrets` or of any JWT.
 */
export function sanitizeStderr(stderr: string, secrets: readonly Secret[]): string[] {
  // Unprintable characters go first: one in the middle of a token would hide it.
  const printable = stderr.split(/[\r\n]+/).map((line) => line.replaceAll(UNPRINTABLE, '').trim());
  // All lines at once: redaction walks along each secret, which can be far longer than the lines.
  const clean = redactJwts(redactSecrets(printable.join('\n'), secrets)).split('\n');
  const lines = clean.filter((line) => line !== '').map(shortened);
  const more = lines.length - MOST_LINES;
  return more > 0 ? [...lines.slice(0, MOST_LINES), `… and ${more} more lines`] : lines;
}

function shortened(line: string): string {
  return line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line;
}
