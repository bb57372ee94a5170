import { existsSync } from 'node:fs';
import { describe, type TestContext, test } from 'vitest';
import { startTimeoutMs } from '../support/postgres/server.ts';
import { type RunningDemo, startDemo, survivorsOf } from './running-demo.ts';

const timeoutMs = startTimeoutMs + 60_000;

async function open({ onTestFinished }: TestContext, ...args: string[]): Promise<RunningDemo> {
  const demo = await startDemo(args);
  onTestFinished(() => demo.close());
  return demo;
}

/** Refreshed before half of it is over, so that a connect in vain, or no rotation in time, takes a delay of as long. */
const TOKEN_SECONDS = 17;

describe.concurrent('the demo', () => {
  test(
    'tokens rotate, and every connect succeeds',
    async ({ expect, onTestFinished }) => {
      const demo = await startDemo(['--seconds', '16'], { DEMO_TOKEN_SECONDS: `${TOKEN_SECONDS}` });
      onTestFinished(() => demo.close());
      const code = await demo.ended;
      const output = demo.output();
      expect(output).toMatch(
        /^access token +rotated (once|\d+ times); at least 1 expected in 6 s/m,
      );
      expect(output).toMatch(/^connects +\d+ ok, 0 failed;/m);
      expect(output).toMatch(/^pgpassd +ended with exit code 0$/m);
      expect(output).toContain('\nSuccess: the token changed ');
      expect(code).toBe(0);
      expect(await demo.leftovers()).toEqual([]);
    },
    timeoutMs,
  );

  test(
    'a wrong client id shows each retry, and ends with the message of Entra and the remedy of pgpassd',
    async (context) => {
      const { expect } = context;
      const clientId = '00000000-1111-2222-3333-444444444444';
      const demo = await open(context, '--client-id', clientId);
      expect(await demo.ended).toBe(1);
      const shown = demo.output().match(/ {2}pgpassd {3}(Entra refused|attempt \d+ failed)/g) ?? [];
      expect(shown.length).toBeGreaterThan(1);
      const [, counted] = /^failed refreshes +(\d+)$/m.exec(demo.output()) ?? [];
      // One more may fail between the last look at the metrics and the end.
      expect(shown.length - Number(counted)).toBeOneOf([0, 1]);
      const [, summary = ''] = demo.output().split('\nFailure: ');
      const said = summary.replaceAll(/\s+/g, ' ');
      expect(said).toMatch(
        /^pgpassd put no token in place within 10 s\. pgpassd logged .*AADSTS700016/,
      );
      expect(said).toContain(`remedy Check that AZURE_CLIENT_ID (--client-id) ${clientId} is`);
      expect(await demo.leftovers()).toEqual([]);
    },
    timeoutMs,
  );

  test(
    'Ctrl-C leaves nothing behind',
    async (context) => {
      const { expect } = context;
      const demo = await open(context);
      await demo.printed('logged in for the first time');
      const processes = await demo.descendants();
      const commandLines = processes.map(({ commandLine }) => commandLine);
      expect(commandLines).toContainEqual(expect.stringMatching(/main\.[jt]s run$/));

      demo.interrupt();
      expect(await demo.ended).toBe(0);
      expect(demo.output()).toContain('the run was too short to expect one');
      expect(await survivorsOf(processes)).toEqual([]);
      expect(await demo.leftovers()).toEqual([]);
      // PostgreSQL's directory is not below TMPDIR for every user.
      const dataDirectories = commandLines.flatMap((line) => / -D (\S+)/.exec(line)?.[1] ?? []);
      expect(dataDirectories.filter((directory) => existsSync(directory))).toEqual([]);
    },
    timeoutMs,
  );

  test(
    'Ctrl-C while the demo starts leaves nothing behind either',
    async (context) => {
      const { expect } = context;
      const demo = await open(context);
      await demo.printed('starting PostgreSQL');
      demo.interrupt();
      expect(await demo.ended).toBe(1);
      expect(demo.output()).toContain('stopped before pgpassd was started');
      expect(await demo.leftovers()).toEqual([]);
    },
    timeoutMs,
  );

  test('an unknown flag is refused in a sentence', async (context) => {
    const { expect } = context;
    const demo = await open(context, '--second', '3');
    expect(await demo.ended).toBe(2);
    expect(demo.output()).toBe("demo: Unknown option '--second'; see --help.\n");
  });

  test('--help lists the flags', async (context) => {
    const { expect } = context;
    const demo = await open(context, '--help');
    expect(await demo.ended).toBe(0);
    expect(demo.output()).toMatch(/--seconds N .*--client-id ID/s);
  });
});
