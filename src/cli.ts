import type { Command } from './commands/command.ts';
import { once } from './commands/once.ts';
import { run } from './commands/run.ts';
import type { GivenFlag } from './config/given.ts';
import { settingsHelp } from './config/help.ts';
import { flagOf } from './config/option.ts';
import { options } from './config/options.ts';
import { nearest, quotable } from './config/read-settings.ts';
import { PgpassdError } from './support/errors.ts';

interface CommandEntry {
  readonly run: Command;
  readonly summary: string;
}

const commands: ReadonlyMap<string, CommandEntry> = new Map([
  ['run', { run, summary: 'keeps the passfile current until stopped (the default)' }],
  ['once', { run: once, summary: 'the same steps, one time; for init containers and CronJobs' }],
]);

/** What the command line asks for. */
export type Invocation =
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | { readonly kind: 'command'; readonly command: Command; readonly flags: readonly GivenFlag[] };

/**
 * Reads the command line, without the program's name: a command first, if any, then settings. What
 * is not understood goes on as a flag, to be told with the other problems of the configuration.
 *
 * @throws PgpassdError `config.invalid` for an unknown command
 */
export function parseCommandLine(args: readonly string[]): Invocation {
  const [first = 'run'] = args;
  const named = !first.startsWith('-');
  const flags = readFlags(named ? args.slice(1) : args);
  if (flags.some(({ flag }) => flag === '--help' || flag === '-h')) return { kind: 'help' };
  if (flags.some(({ flag }) => flag === '--version')) return { kind: 'version' };

  const name = named ? first : 'run';
  const command = commands.get(name);
  if (command !== undefined) return { kind: 'command', command: command.run, flags };
  throw new PgpassdError(
    'config.invalid',
    `${quotable(name)} is not a command; did you mean ${nearest(name, [...commands.keys()])}?`,
    'See pgpassd --help.',
  );
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

export function help(): string {
  const table = [...commands].map(([name, { summary }]) => `  ${name.padEnd(6)}${summary}`);
  return `pgpassd keeps a PostgreSQL passfile filled with a fresh Microsoft Entra access token.

Usage: pgpassd [COMMAND] [SETTING ...]

Commands:
${table.join('\n')}

Settings, each a flag or an environment variable; flags win:
${settingsHelp()}

  --help, --version

Exit codes: 0 done or stopped; 1 internal error; 2 usage or configuration; 3 federated token;
4 refused by Entra; 5 Entra not reached; 6 passfile not written.
`;
}
