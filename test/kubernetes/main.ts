import { runEndToEnd } from './end-to-end.ts';
import { readOptions, UsageError, usage } from './options.ts';

const interrupt = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // More than one may come; the first one is enough, and what was made is removed all the same.
  process.on(name, () => interrupt.abort());
}

try {
  const options = readOptions(process.argv.slice(2), process.env);
  if (options === 'help') process.stdout.write(usage);
  else if (!(await runEndToEnd({ ...options, interrupted: interrupt.signal, say }))) {
    process.exitCode = 1;
  }
} catch (error) {
  process.exitCode = error instanceof UsageError ? 2 : 1;
  process.stderr.write(`test:kubernetes: ${error instanceof Error ? error.message : error}\n`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
