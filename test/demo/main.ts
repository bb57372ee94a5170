import { parseArgs } from 'node:util';
import { type DemoOptions, runDemo } from './demo.ts';
import { clientName } from './pod.ts';
import { advance, drawScreen, emptyScreen, eventLine, shownEventOf, statusLine } from './screen.ts';
import { type Outcome, problemsOf, summarize } from './summary.ts';
import { openLines, openScreen } from './terminal.ts';

const usage = `Shows pgpassd at work: a real pgpassd keeps the passfile of a real client current, with tokens that
live ten seconds instead of a day. Entra and kubelet are simulated; PostgreSQL is real, behind a
proxy that checks tokens as Azure's flexible server does.

Usage: npm run demo -- [--seconds N] [--client-id ID]

  --seconds N     end after N seconds of connects; without it, Ctrl-C ends the demo
  --client-id ID  configure pgpassd with this client id instead of the right one, to watch Entra refuse it
  --help          print this help

Exit codes: 0 tokens rotated and every connect succeeded; 1 something failed, and the summary says what;
2 wrong usage.
`;

class UsageError extends Error {
  override readonly name = 'UsageError';
}

const interrupt = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // Both the terminal and npm may send one; the first is enough.
  process.on(name, () => interrupt.abort());
}
// The reader, such as head, has gone away.
process.stdout.on('error', () => interrupt.abort());

try {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') process.stdout.write(usage);
  else process.exitCode = await show(options);
} catch (error) {
  process.exitCode = error instanceof UsageError ? 2 : 1;
  process.stderr.write(`demo: ${error instanceof Error ? error.message : error}\n`);
}

/** @throws UsageError */
function readOptions(args: readonly string[]): DemoOptions | 'help' {
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
  // The most that setTimeout takes.
  if (seconds > 0 && seconds * 1000 < 2 ** 31) return seconds;
  throw new UsageError('--seconds takes a number of seconds above 0, such as 30.');
}

/** Returns the exit code. */
async function show(options: DemoOptions): Promise<number> {
  const outcome = await runOnDisplay(options);
  if (outcome === undefined) {
    process.stdout.write('\nFailure: the demo was stopped before pgpassd was started.\n');
    return 1;
  }
  process.stdout.write(`\n${summarize(outcome).join('\n')}\n`);
  return problemsOf(outcome).length === 0 ? 0 : 1;
}

async function runOnDisplay(options: DemoOptions): Promise<Outcome | undefined> {
  const { stdout } = process;
  let state = emptyScreen(Date.now(), clientName);
  const display = stdout.isTTY
    ? openScreen(stdout, (rows) => drawScreen(state, Date.now(), rows))
    : openLines(stdout, () => statusLine(state, Date.now()));
  try {
    return await runDemo({
      options,
      interrupted: interrupt.signal,
      onEvent: (event) => {
        const shown = shownEventOf(state, event);
        if (shown) display.line(eventLine(shown, state.beganMs));
        state = advance(state, event);
      },
    });
  } finally {
    display.close();
  }
}
