import { expect, onTestFinished, test } from 'vitest';
import { startTimeoutMs } from '../support/postgres/server.ts';
import { startDemo } from './running-demo.ts';

const timeoutMs = startTimeoutMs + 60_000;

test(
  'tokens rotate, and every connect succeeds',
  async () => {
    // A rotation is expected from six seconds on.
    const demo = await startDemo('--seconds', '6.2');
    onTestFinished(() => demo.close());
    const code = await demo.ended;
    const output = demo.output();
    expect(output).toMatch(/^access token +rotated (once|\d+ times); at least 1 expected in 6 s/m);
    expect(output).toMatch(/^connects +\d+ ok, 0 failed;/m);
    expect(output).toMatch(/^pgpassd +ended with exit code 0$/m);
    expect(output).toContain('\nSuccess: the token changed ');
    expect(code).toBe(0);
    expect(await demo.leftovers()).toEqual([]);
  },
  timeoutMs,
);
