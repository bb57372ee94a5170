import { parseArgs } from 'node:util';

export interface DemoOptions {
  /** How long the clients are watched; until Ctrl-C where absent. */
  readonly seconds: number | undefined;
  /** What pgpassd is told instead of its real client id. */
  readonly clientId: string | undefined;
}

/** A command line that asks for something the demo does not have. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const usage = `Shows pgpassd at work: a real pgpassd keeps the passfile of a real client current, with tokens that
live ten seconds instead of a day. Entra and kubelet are stand-ins; PostgreSQL is real, behind a
front that lets clients in as Azure's flexible server does.

Usage: npm run demo -- [--seconds N] [--client-id ID]

  --seconds N     ends after N seconds of connects; without it Ctrl-C ends the demo
  --client-id ID  gives pgpassd this client id instead of the right one, to watch Entra refuse it
  --help

Exit codes: 0 tokens rotated and every connect succeeded; 1 not so, and the summary says why;
2 wrong usage.
`;

/** @throws UsageError in one sentence */
export function readOptions(args: readonly string[]): DemoOptions | 'help' {
  const { help, seconds, 'client-id': clientId } = parse(args);
  if (help) return 'help';
  return { seconds: seconds === undefined ? undefined : readSeconds(seconds), clientId };
}

function parse(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        seconds: { type: 'string' },
        'client-id': { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    return values;
  } catch (error) {
    const [sentence = ''] = (error as Error).message.split(/[.\n]/, 1);
    throw new UsageError(`${sentence}; see --help.`);
  }
}

function readSeconds(text: string): number {
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : 0;
  // setTimeout takes no more than this.
  if (seconds > 0 && seconds * 1000 < 2 ** 31) return seconds;
  throw new UsageError('--seconds takes a number of seconds above 0, such as 30.');
}
