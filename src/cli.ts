import type { Command } from './commands/command.ts';
import type { GivenFlag } from './config/given.ts';
import { settingsHelp } from './config/help.ts';
import { type CommandName, flagOf } from './config/option.ts';
import { options } from './config/options.ts';
import { nearest, quotable } from './config/read-settings.ts';
import { PgpassdError } from './support/errors.ts';

interface CommandEntry {
  /** On demand: `wait` would pay for what only `run` needs. */
  readonly load: () => Promise<Command>;
  readonly summary: string;
  /** Takes the words after `--`. */
  readonly takesRest?: true;
  /** Being stopped is how it ends. */
  readonly untilStopped?: true;
}

const commands: Readonly<Record<CommandName, CommandEntry>> = {
  run: {
    load: async () => (await import('./commands/run.ts')).run,
    summary: 'keeps the passfile current until stopped (the default)',
    untilStopped: true,
  },
  once: {
    load: async () => (await import('./commands/once.ts')).once,
    summary: 'the same steps, one time; for init containers and CronJobs',
  },
  wait: {
    load: async () => (await import('./commands/wait.ts')).wait,
    summary: 'waits until the passfile holds a valid token; then becomes what follows --',
    takesRest: true,
  },
  check: {
    load: async () => (await import('./commands/check.ts')).check,
    summary: 'says what is wrong, and what to do about it; changes nothing',
  },
};

const commandNames = Object.keys(commands) as CommandName[];

/** What the command line asks for. */
export type Invocation =
  | { readonly kind: 'help'; readonly command: CommandName | undefined }
  | { readonly kind: 'version' }
  | {
      readonly kind: 'command';
      readonly command: CommandName;
      readonly flags: readonly GivenFlag[];
      readonly rest: readonly string[] | undefined;
    };

/**
 * Reads the command line, without the program's name: a command first, if any, then settings. What
 * is not understood goes on as a flag, to be told with the other problems of the configuration.
 *
 * @throws PgpassdError `config.invalid` for an unknown command
 */
export function parseCommandLine(args: readonly string[]): Invocation {
  const [first = 'run'] = args;
  const named = !first.startsWith('-');
  const command = commandNames.find((name) => name === (named ? first : 'run'));
  const { own, rest } = splitRest(named ? args.slice(1) : args, command);
  const flags = readFlags(own);
  if (flags.some(({ flag }) => flag === '--help' || flag === '-h')) {
    return { kind: 'help', command: named ? command : undefined };
  }
  if (flags.some(({ flag }) => flag === '--version')) return { kind: 'version' };
  if (command !== undefined) return { kind: 'command', command, flags, rest };
  throw new PgpassdError(
    'config.invalid',
    `${quotable(first)} is not a command; did you mean ${nearest(first, commandNames)}?`,
    'See pgpassd --help.',
  );
}

export function loadCommand(name: CommandName): Promise<Command> {
  return commands[name].load();
}

/** Whether the command has done its work when it is asked to stop. */
export function isDoneWhenStopped(name: CommandName): boolean {
  return commands[name].untilStopped === true;
}

function splitRest(words: readonly string[], command: CommandName | undefined) {
  const at = words.indexOf('--');
  if (at < 0 || command === undefined || !commands[command].takesRest) {
    return { own: words, rest: undefined };
  }
  return { own: words.slice(0, at), rest: words.slice(at + 1) };
}

/** A value stands behind `=` or as the next word; the word after a mistyped flag is most likely its value. */
function readFlags(args: readonly string[]): GivenFlag[] {
  const flags: GivenFlag[] = [];
  for (let at = 0; at < args.length; at += 1) {
    const [word = '', next] = args.slice(at, at + 2);
    const [, flag = word, inline] = /^(-[^=]*)=(.*)$/s.exec(word) ?? [];
    const takesNext = inline === undefined && flag.startsWith('-') && !switches.has(flag);
    const value = takesNext && !next?.startsWith('--') ? next : inline;
    if (value !== inline) at += 1;
    flags.push({ flag, value });
  }
  return flags;
}

const switches: ReadonlySet<string> = new Set([
  ...Object.entries(options)
    .filter(([, option]) => !('placeholder' in option))
    .map(([name]) => flagOf(name)),
  '--help',
  '-h',
  '--version',
]);

/** What `--help` prints, of the program or of one command. */
export function help(command?: CommandName): string {
  return command === undefined ? helpOfProgram() : helpOfCommand(command);
}

function helpOfProgram(): string {
  const table = commandNames.map((name) => `  ${name.padEnd(7)}${commands[name].summary}`);
  return `pgpassd keeps a PostgreSQL passfile filled with a fresh Microsoft Entra access token.

Usage: pgpassd [COMMAND] [SETTING ...]

Commands:
${table.join('\n')}

Settings, each a flag or an environment variable; flags win:
${settingsHelp()}

  --help, --version, COMMAND --help

${EXIT_CODES}`;
}

function helpOfCommand(name: CommandName): string {
  const { summary, takesRest } = commands[name];
  return `pgpassd ${name}: ${summary}.

Usage: pgpassd ${name} [SETTING ...]${takesRest ? ' [-- PROGRAM [ARGUMENT ...]]' : ''}

Settings, each a flag or an environment variable; flags win:
${settingsHelp(name)}

${EXIT_CODES}`;
}

const EXIT_CODES = `Exit codes: 0 done, or run stopped; 1 internal error; 2 usage or configuration; 3 federated token;
4 refused by Entra; 5 Entra not reached; 6 passfile not written; 7 passfile not usable (wait, check);
8 login failed (check --connect); 128+n stopped by signal n before it was done (once, wait, check).
`;
