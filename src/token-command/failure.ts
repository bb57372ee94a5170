import { PgpassdError } from '../support/errors.ts';
import { programName } from '../support/text.ts';

/** How a run of the token command came to its end. */
export type Ending =
  /** By itself; one of the two is set. */
  | { readonly kind: 'ended'; readonly code: number | null; readonly signal: string | null }
  /** The system's code, such as `ENOENT`. */
  | { readonly kind: 'not-started'; readonly systemCode: string }
  /** Killed because it printed too much. */
  | { readonly kind: 'flooded' }
  /** Killed at its deadline, or because the caller wished so. */
  | { readonly kind: 'stopped' };

export interface FailedRun {
  /** The program alone: an argument may hold a password. */
  readonly program: string;
  readonly ending: Ending;
  readonly deadlineMs: number;
  /** Presentable; the first is told. */
  readonly stderrLines: readonly string[];
  /** What other processes could not be started for either, such as `EAGAIN`. */
  readonly shortage?: string | undefined;
}

/** The error of a run that was no success: `token-command.failed`. */
export function explainFailure(run: FailedRun): PgpassdError {
  const [what, remedy] = explain(run);
  const said = run.stderrLines[0];
  const { ending, shortage } = run;
  const systemCode = ending.kind === 'not-started' ? ending.systemCode : shortage;
  return new PgpassdError(
    'token-command.failed',
    `the token command ${programName(run.program)} ${what}${said === undefined ? '' : `: ${said}`}`,
    (shortage && startRemedies[shortage]) ?? remedy,
    systemCode === undefined ? {} : { details: { systemCode } },
  );
}

const RUN_BY_HAND =
  'Run the command of --token-command by hand, as the same user and with the same environment.';

function explain({ ending, deadlineMs }: FailedRun): [what: string, remedy: string] {
  switch (ending.kind) {
    case 'not-started':
      return explainNotStarted(ending.systemCode);
    case 'stopped':
      return [
        `did not end within ${deadlineMs / 1000} s and was killed`,
        'Find out what the command of --token-command waits for, or allow more with --request-timeout (once: and --timeout).',
      ];
    case 'flooded':
      return [
        'printed more than 1 MiB and was killed',
        'Let --token-command print nothing but the token, or JSON that holds it.',
      ];
    case 'ended':
      return ending.signal === null
        ? [`ended with exit code ${ending.code}`, RUN_BY_HAND]
        : [`was killed by ${ending.signal}`, RUN_BY_HAND];
  }
}

function explainNotStarted(systemCode: string): [what: string, remedy: string] {
  if (systemCode === 'ENOENT') {
    return [
      'was not found',
      'Install it where pgpassd runs, or write its whole path in --token-command; there is no shell.',
    ];
  }
  if (systemCode === 'EACCES') {
    return [
      'may not be executed',
      'Make the program of --token-command executable for the user that pgpassd runs as.',
    ];
  }
  return [`could not be started (${systemCode})`, startRemedies[systemCode] ?? RUN_BY_HAND];
}

/** By what there was too little of. */
const startRemedies: Readonly<Record<string, string>> = {
  EAGAIN:
    'See which processes of the pod stay behind or have many threads, run an init as process 1 as the image does, or raise the limit of processes (podPidsLimit, ulimit -u).',
  EMFILE: 'Raise the limit of open files (ulimit -n) of pgpassd.',
  ENFILE: 'Raise fs.file-max on the node.',
  ENOMEM: 'Raise the memory limit of the container, or see what takes the memory of the node.',
};
