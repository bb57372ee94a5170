import { existsSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { startTimeoutMs } from '../support/postgres/server.ts';
import { survivorsOf } from './processes.ts';
import { type RunningDemo, startDemo } from './running-demo.ts';

const timeoutMs = startTimeoutMs + 60_000;

async function open(...args: string[]): Promise<RunningDemo> {
  const demo = await startDemo(...args);
  onTestFinished(() => demo.close());
  return demo;
}

test(
  'tokens rotate, and every connect succeeds',
  async () => {
    const demo = await open('--seconds', '12');
    const code = await demo.ended;
    const output = demo.output();
    expect(output).toMatch(/^access token +rotated (once|\d+ times); 6 s and more call for/m);
    expect(output).toMatch(/^connects +\d+ ok, 0 failed;/m);
    expect(output).toMatch(/^pgpassd +ended with exit code 0$/m);
    expect(output).toContain('\nShown: the token changed ');
    expect(code).toBe(0);
    expect(await demo.leftovers()).toEqual([]);
  },
  timeoutMs,
);

test(
  'a wrong client id ends it with the words of Entra and the remedy of pgpassd',
  async () => {
    const clientId = '00000000-1111-2222-3333-444444444444';
    const demo = await open('--client-id', clientId);
    expect(await demo.ended).toBe(1);
    const [, summary = ''] = demo.output().split('\nNot shown: ');
    const said = summary.replaceAll(/\s+/g, ' ');
    expect(said).toMatch(
      /^pgpassd put no token in place within 10 s\. pgpassd said .*AADSTS700016/,
    );
    expect(said).toContain(`remedy Check that AZURE_CLIENT_ID (--client-id) ${clientId} is`);
    expect(await demo.leftovers()).toEqual([]);
  },
  timeoutMs,
);

test(
  'Ctrl-C leaves nothing behind',
  async () => {
    const demo = await open();
    await demo.printed('let in for the first time');
    const processes = await demo.descendants();
    const commandLines = processes.map(({ commandLine }) => commandLine);
    expect(commandLines).toContainEqual(expect.stringMatching(/src\/main\.ts run$/));

    demo.interrupt();
    expect(await demo.ended).toBe(0);
    expect(demo.output()).toContain('so short a run calls for none');
    expect(await survivorsOf(processes)).toEqual([]);
    expect(await demo.leftovers()).toEqual([]);
    // Its parent directory depends on who runs this, so that TMPDIR does not tell.
    const dataDirectories = commandLines.flatMap((line) => / -D (\S+)/.exec(line)?.[1] ?? []);
    expect(dataDirectories.filter((directory) => existsSync(directory))).toEqual([]);
  },
  timeoutMs,
);

test(
  'Ctrl-C before there is anything to see leaves nothing behind either',
  async () => {
    const demo = await open();
    await demo.printed('starting PostgreSQL');
    demo.interrupt();
    expect(await demo.ended).toBe(1);
    expect(demo.output()).toContain('stopped before pgpassd was started');
    expect(await demo.leftovers()).toEqual([]);
  },
  timeoutMs,
);

test('an unknown flag is told in a sentence', async () => {
  const demo = await open('--second', '3');
  expect(await demo.ended).toBe(2);
  expect(demo.output()).toBe("demo: Unknown option '--second'; see --help.\n");
});

test('--help tells the flags', async () => {
  const demo = await open('--help');
  expect(await demo.ended).toBe(0);
  expect(demo.output()).toMatch(/--seconds N .*--client-id ID/s);
});
