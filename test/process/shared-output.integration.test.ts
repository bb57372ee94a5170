import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import { lookUntil } from '../support/look-until.ts';
import { openWorkload } from './workload.ts';

/** What shells do with a command line that pgpassd's is appended to, and its file. */
const shell = (script: string, file: string) => [
  'sh',
  '-c',
  script.replaceAll('FILE', `'${file}'`),
];

const isTold = (line: string) => line.startsWith('{') || line.startsWith('pgpassd: ');

describe.concurrent('a file that pgpassd shares with others keeps every line of each', () => {
  test.for<[string, string]>([
    ['by >', '{ echo a; "$0" "$@"; echo b; } > FILE'],
    ['by >>', '{ echo a; "$0" "$@"; echo b; } >> FILE'],
    ['by > with standard error', '{ echo a; "$0" "$@" 2>&1; echo b; } > FILE'],
    ['by > of another descriptor', 'exec 3> FILE; echo a >&3; "$0" "$@" >&3 2>&3; echo b >&3'],
    ['for reading, too', '{ echo a; "$0" "$@"; echo b; } 1<> FILE'],
  ])('opened %s', async ([, script], { expect, onTestFinished }) => {
    const { directory, start } = await openWorkload({ onTestFinished });
    const file = join(directory, 'log');
    const pgpassd = start(['once'], { under: shell(script, file) });
    expect(await pgpassd.exited, pgpassd.output()).toEqual({ code: 0, signal: null });
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
    expect([lines.at(0), lines.at(-1)]).toEqual(['a', 'b']);
    const own = lines.slice(1, -1);
    expect(own.map((line) => JSON.parse(line).event)).toContain('token.refreshed');
  });

  test('when the log and what failed go to it', async ({ expect, onTestFinished }) => {
    const { directory, start } = await openWorkload({ onTestFinished, federatedToken: null });
    const file = join(directory, 'log');
    const script = '{ echo a; "$0" "$@" 2>&1; echo b; } > FILE';
    const pgpassd = start(['once', '--timeout', '1s'], { under: shell(script, file) });
    await pgpassd.exited;
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
    expect(lines.filter((line) => !isTold(line))).toEqual(['a', 'b']);
    expect(lines.filter((line) => line.startsWith('pgpassd: '))).toHaveLength(2);
    expect(lines.filter((line) => line.includes('refresh.failed'))).not.toEqual([]);
  });

  test('while run writes to it', async ({ expect, onTestFinished }) => {
    const { directory, start } = await openWorkload({ onTestFinished });
    const file = join(directory, 'log');
    // The other one writes when it is told to, by a file.
    const other = `while [ ! -e FILE.go ]; do sleep 0.1; done; echo another; : > FILE.gone`;
    const script = `{ echo a; ( ${other} ) & exec "$0" "$@"; } > FILE`;
    const pgpassd = start(['run'], { under: shell(script, file) });
    const holds = async (text: string) =>
      (await readFile(file, 'utf8').catch(() => '')).includes(text);
    await lookUntil(() => holds('token.refreshed'));
    await new Promise((done) => execFile('touch', [`${file}.go`], done));
    await lookUntil(() => holds('another'));
    pgpassd.signal('SIGTERM');
    expect((await pgpassd.exited).code).toBe(0);
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
    expect(lines.filter((line) => !line.startsWith('{'))).toEqual(['a', 'another']);
    expect(
      lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line).event),
    ).toEqual(expect.arrayContaining(['started', 'token.refreshed', 'stopped']));
  });
});
