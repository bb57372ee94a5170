import { parseArgs } from 'node:util';
import type { Command } from './commands/command.ts';
import { once } from './commands/once.ts';
import { run } from './commands/run.ts';
import { settingsHelp } from './config/help.ts';
import { flagOf } from './config/option.ts';
import { options } from './config/options.ts';
import { type GivenFlag, nearest } from './config/read-settings.ts';
import { PgpassdError } from './support/errors.ts';

interface CommandEntry {
  readonly run: Command;
  readonly summary: string;
}

const commands: Readonly<Record<string, CommandEntry>> = {
  run: { run, summary: 'keeps the passfile current until stopped (the default)' },
  once: { run: once, summary: 'the same steps, one time; for init containers and CronJobs' },
};

/** What the command line asks for. */
export type Invocation =
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | { readonly kind: 'command'; readonly command: Command; readonly flags: readonly GivenFlag[] };

/**
 * Reads the command line, without the program's name.
 *
 * @throws PgpassdError `config.invalid` for anything that is not understood
 */
export function parseCommandLine(args: readonly string[]): Invocation {
  const problems: string[] = [];
  const positionals: string[] = [];
  const flags: GivenFlag[] = [];
  for (const token of parseArgs({
    args: [...args],
    options: flagShapes,
    strict: false,
    tokens: true,
  }).tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind === 'option') flags.push({ flag: token.rawName, value: token.value });
  }
  const [name = 'run', ...surplus] = positionals;
  if (flags.some(({ flag }) => flag === '--help' || flag === '-h')) return { kind: 'help' };
  if (flags.some(({ flag }) => flag === '--version')) return { kind: 'version' };

  const command = commands[name];
  if (command === undefined) {
    problems.push(
      `${name} is not a command; did you mean ${nearest(name, Object.keys(commands))}?`,
    );
  }
  problems.push(...surplus.map((word) => `${word}: an argument that nothing asks for`));
  problems.push(...flags.filter(lacksValue).map(({ flag }) => `${flag} needs a value`));
  if (command === undefined || problems.length > 0) {
    throw new PgpassdError('config.invalid', problems.join('\n'), 'See pgpassd --help.');
  }
  return { kind: 'command', command: command.run, flags };
}

const takesValue = new Map(
  Object.entries(options).map(([name, option]) => [flagOf(name), 'placeholder' in option]),
);

const flagShapes = Object.fromEntries(
  [...takesValue].map(([flag, value]) => [
    flag.slice(2),
    { type: value ? ('string' as const) : ('boolean' as const), multiple: true },
  ]),
);

function lacksValue({ flag, value }: GivenFlag): boolean {
  return takesValue.get(flag) === true && value === undefined;
}

export function help(): string {
  const table = Object.entries(commands).map(
    ([name, { summary }]) => `  ${name.padEnd(6)}${summary}`,
  );
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
