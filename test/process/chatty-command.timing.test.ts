import { expect, test } from 'vitest';
import { ask } from '../observe/clients.ts';
import { portOf } from './probing.ts';
import { openWorkload } from './workload.ts';

/** Prints almost as much as is read of it, and on standard error what is hard to tell from pieces of it. */
const chatty = `
  process.stderr.write(("b" + "a".repeat(15)).repeat(500).replaceAll(/.{190}/g, "$&\\n"));
  process.stdout.write("a".repeat(1048000));
`;

test('a token command that prints 1 MB and almost quotes it holds up no probe', async () => {
  const { start } = await openWorkload();
  const program = process.execPath;
  const pgpassd = start(['run', '--token-command', `'${program}' -e '${chatty}'`]);
  const port = await portOf(pgpassd);
  const answers: { readonly status: number | undefined; readonly tookMs: number }[] = [];
  const asking = new AbortController();
  const askAll = async () => {
    while (!asking.signal.aborted) {
      const since = performance.now();
      const { status } = await ask({ port });
      answers.push({ status, tookMs: performance.now() - since });
    }
  };
  const asked = askAll();
  for (let failure = 0; failure < 2; failure += 1) {
    await pgpassd.waitFor(({ reason }) => reason === 'token-command.bad-output');
    pgpassd.signal('SIGHUP');
  }
  asking.abort();
  await asked;
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  expect(Math.max(...answers.map(({ tookMs }) => tookMs))).toBeLessThan(2_000);
});
