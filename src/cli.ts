import type { Command } from './commands/command.ts';
import { seeHelp, settingsHelp } from './config/help.ts';
import {
  accepts,
  type CommandName,
  flagOf,
  type GivenFlags,
  needsValue,
  type Option,
} from './config/option.ts';
import { options } from './config/options.ts';
import { didYouMean, invalidSettings, quotable, sentencesFor } from './config/read-options.ts';

interface CommandEntry {
  /** On demand: `wait` would pay for what only `run` needs. */
  readonly load: () => Promise<Command>;
  readonly summary: string;
  /** Whether a program may follow after `--`. */
  readonly takesProgram?: true;
  /** Whether it has succeeded when it is asked to stop. */
  readonly runsUntilStopped?: true;
}

const commands: Readonly<Record<CommandName, CommandEntry>> = {
  run: {
    load: async () => (await import('./commands/run.ts')).run,
    summary: 'keeps the passfile current until stopped (the default)',
    runsUntilStopped: true,
  },
  once: {
    load: async () => (await import('./commands/once.ts')).once,
    summary: 'fills the passfile one time, for init containers and CronJobs',
  },
  wait: {
    load: async () => (await import('./commands/wait.ts')).wait,
    summary: 'waits until the passfile holds a valid token; then becomes the program after --',
    takesProgram: true,
  },
  check: {
    load: async () => (await import('./commands/check.ts')).check,
    summary: 'finds what is wrong and says what to do about it; changes nothing',
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
      readonly flags: GivenFlags;
      /** The words after `--`: a program and its arguments. */
      readonly rest: readonly string[] | undefined;
    };

/**
 * Reads the command line, without the program's name: a command first, if any, then settings.
 *
 * @throws PgpassdError `config.invalid` for everything that is not understood, before any setting is read.
 *   A mistyped flag is reported alone: what looks missing may be what it was meant to set.
 */
export function parseCommandLine(args: readonly string[]): Invocation {
  const [first = 'run', second = ''] = args;
  if (first === 'version') return { kind: 'version' };
  if (first === 'help') {
    const isTopic = second !== '' && !second.startsWith('-') && !isVerb(second);
    return { kind: 'help', command: isTopic ? commandNamed(second) : undefined };
  }
  const isNamed = !first.startsWith('-');
  const { own, rest } = splitAtDashes(isNamed ? args.slice(1) : args);
  const words = readWords(own);
  if (words.some(({ flag }) => helpFlags.includes(flag))) {
    return { kind: 'help', command: commandNames.find((name) => isNamed && name === first) };
  }
  if (words.some(({ flag }) => versionFlags.includes(flag))) return { kind: 'version' };
  const command = isNamed ? commandNamed(first) : 'run';
  const flags = flagsAmong(words, command);
  if (rest !== undefined && !commands[command].takesProgram) {
    throw invalidSettings(
      [`pgpassd ${command} takes no program after --; pgpassd wait does`],
      'Write pgpassd wait -- PROGRAM to start a program as soon as the passfile holds a valid token.',
    );
  }
  return { kind: 'command', command, flags, rest };
}

export function loadCommand(name: CommandName): Promise<Command> {
  return commands[name].load();
}

/** Whether the command has succeeded when it is asked to stop. */
export function succeedsWhenStopped(name: CommandName): boolean {
  return commands[name].runsUntilStopped === true;
}

/** Words that are asked for like commands, and need no settings. */
const verbs = ['help', 'version'] as const;

const helpFlags: readonly string[] = ['--help', '-h'];
const versionFlags: readonly string[] = ['--version', '-v', '-V'];

function isVerb(word: string): boolean {
  return verbs.some((verb) => verb === word);
}

/** @throws PgpassdError `config.invalid` when there is no such command */
function commandNamed(word: string): CommandName {
  const command = commandNames.find((name) => name === word);
  if (command !== undefined) return command;
  const known = [...commandNames, ...verbs];
  throw invalidSettings(
    [`${quotable(word, known, 'an argument')} is not a command${didYouMean(word, known)}`],
    `The commands are ${known.join(', ')}: see pgpassd --help.`,
  );
}

function splitAtDashes(words: readonly string[]): {
  readonly own: readonly string[];
  readonly rest: readonly string[] | undefined;
} {
  const at = words.indexOf('--');
  return at < 0
    ? { own: words, rest: undefined }
    : { own: words.slice(0, at), rest: words.slice(at + 1) };
}

/** A flag with its value, if one follows; or a word that is not a flag. */
interface Word {
  readonly flag: string;
  readonly value: string | undefined;
}

/**
 * A value follows after `=` or as the next word; the word after a mistyped flag is probably its value. No
 * library does this: `parseArgs` of `node:util` splits `-dpostgresql://…` into letters and takes a flag as the
 * value of the one before it, and all quote words in their errors that may hold a password.
 */
function readWords(args: readonly string[]): readonly Word[] {
  const words: Word[] = [];
  for (let at = 0; at < args.length; at += 1) {
    const [word = '', next] = args.slice(at, at + 2);
    const [, flag = word, inline] = /^(-[^=]*)=(.*)$/s.exec(word) ?? [];
    const takesNext = inline === undefined && flag.startsWith('-') && !switches.includes(flag);
    const value = takesNext && !next?.startsWith('--') ? next : inline;
    if (value !== inline) at += 1;
    words.push({ flag, value });
  }
  return words;
}

interface KnownFlag {
  readonly flag: string;
  readonly name: string;
  readonly option: Option<unknown>;
}

const knownFlags: readonly KnownFlag[] = Object.entries(options).map(([name, option]) => ({
  flag: flagOf(name),
  name,
  option,
}));

/** Flags that stand alone. */
const switches: readonly string[] = [
  ...knownFlags.filter(({ option }) => option.placeholder === undefined).map(({ flag }) => flag),
  ...helpFlags,
  ...versionFlags,
];

/** @throws PgpassdError `config.invalid` for words that the command does not accept */
function flagsAmong(words: readonly Word[], command: CommandName): GivenFlags {
  const accepted = knownFlags.filter(({ option }) => accepts(command, option));
  const known = new Map(accepted.map((each) => [each.flag, each]));
  const others = words.map(({ flag }) => flag).filter((flag) => !known.has(flag));
  const unknown = unknownFlags(
    others.filter((word) => word.startsWith('-')),
    command,
    [...known.keys(), '--help', '--version'],
  );
  if (unknown.length > 0) throw invalidSettings(unknown, seeHelp(command));
  const given: Record<string, string[]> = {};
  const problems = [...extraWords(others, command)];
  for (const { flag, value } of words) {
    const { name, option } = known.get(flag) ?? {};
    if (name === undefined || option === undefined) continue;
    const text = value ?? (option.placeholder === undefined ? 'true' : undefined);
    if (text === undefined) problems.push(needsValue(flag, option));
    else given[name] = [...(given[name] ?? []), text];
  }
  if (problems.length > 0) throw invalidSettings(problems, seeHelp(command));
  return given;
}

function unknownFlags(
  flags: readonly string[],
  command: CommandName,
  known: readonly string[],
): readonly string[] {
  return sentencesFor(flags, 'flags that are no settings', (flag) => {
    if (knownFlags.some((each) => each.flag === flag)) {
      return `${flag} is not a setting of pgpassd ${command}`;
    }
    const quoted = quotable(flag, known, 'an argument that begins with -');
    return `${quoted} is not a setting${didYouMean(flag, known, '--')}`;
  });
}

function extraWords(words: readonly string[], command: CommandName): readonly string[] {
  return sentencesFor(words, 'arguments that belong to no setting', (word) => {
    const quoted = quotable(word, commandNames, 'an argument');
    if (commandNames.some((name) => name === word)) {
      return `${quoted} is not the first argument, where a command belongs`;
    }
    return commands[command].takesProgram
      ? `${quoted} belongs to no setting; put -- before a program`
      : `${quoted} belongs to no setting`;
  });
}

/** What `--help` prints, of the program or of one command. */
export function help(command?: CommandName): string {
  return command === undefined ? helpOfProgram() : helpOfCommand(command);
}

const SETTINGS = 'Settings are flags or environment variables; a flag overrides the variable.';

/** The exit codes of `errors.ts` in words. */
const EXIT_CODES = `Exit codes:
  0      success, or run was stopped
  1      internal error
  2      usage or configuration
  3      federated token, or a wrong clock
  4      refused by Entra
  5      Entra not reached, or no usable answer from it or from the token command
  6      passfile not written
  7      passfile not usable (wait, check)
  8      login failed (check --connect)
  128+n  stopped by signal n before it was done (once, wait, check)
`;

function helpOfProgram(): string {
  const table = [
    ...commandNames.map((name) => [name, commands[name].summary] as const),
    ['help', 'prints this, or the help of a command: pgpassd help COMMAND'] as const,
    ['version', 'prints the version'] as const,
  ].map(([name, summary]) => `  ${name.padEnd(9)}${summary}`);
  return `pgpassd keeps a PostgreSQL passfile filled with a fresh Microsoft Entra access token.

Usage: pgpassd [COMMAND] [SETTING ...]

Commands:
${table.join('\n')}

${SETTINGS}

${settingsHelp()}

${EXIT_CODES}`;
}

function helpOfCommand(name: CommandName): string {
  const { summary, takesProgram } = commands[name];
  return `pgpassd ${name}: ${summary}.

Usage: pgpassd ${name} [SETTING ...]${takesProgram ? ' [-- PROGRAM [ARGUMENT ...]]' : ''}

${SETTINGS}

${settingsHelp(name)}

${EXIT_CODES}`;
}
