import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { check } from '../../src/commands/check.ts';
import type { CommandContext } from '../../src/commands/command.ts';
import type { Environment } from '../../src/config/given.ts';
import { emptyDirectory } from './scene.ts';

/** Runs the command on a terminal, for its exit code and what it prints. */
async function run(given: Partial<CommandContext>): Promise<{ code: number; text: string }> {
  let text = '';
  const code = await check({
    flags: [{ flag: '--offline', value: undefined }],
    rest: undefined,
    terminal: true,
    columns: 80,
    print: (piece) => {
      text += piece;
    },
    tell: () => undefined,
    signal: new AbortController().signal,
    onHangup: () => undefined,
    ...given,
    env: { PGPASSD_HTTP_ADDRESS: 'off', PGPASSFILE: '/nowhere/pgpass', ...given.env },
  });
  return { code, text };
}

const printed = async (columns: number | undefined, env: Environment = {}) =>
  (await run({ columns, env })).text;

const plain = { NO_COLOR: '1' };
const widthOf = (text: string) => Math.max(...text.split('\n').map((line) => line.length));

test.each([
  ['that does not tell its width', undefined, 80],
  ['that was not told its width', 0, 80],
  ['of 70 columns', 70, 70],
  ['of 100 columns', 100, 100],
  ['of 200 columns', 200, 100],
])('on a terminal %s a line ends in time', async (_case, columns, most) => {
  const width = widthOf(await printed(columns, plain));
  expect(width).toBeLessThanOrEqual(most);
  expect(width).toBeGreaterThan(most - 10);
});

test.each<[string, Environment, boolean]>([
  ['is coloured', {}, true],
  ['is not coloured with NO_COLOR', plain, false],
  ['is not coloured when it can show no colours', { TERM: 'dumb' }, false],
])('a terminal %s', async (_case, env, coloured) => {
  expect((await printed(80, env)).includes('\u{1b}[')).toBe(coloured);
});

test('a volume that does not answer keeps nobody from ending it', async () => {
  const volume = join(await emptyDirectory(), 'ca.pem');
  execFileSync('mkfifo', [volume]);
  // Whoever waits for the FIFO is let go in the end.
  onTestFinished(() => writeFile(volume, ''));
  const stop = new AbortController();
  const env = {
    PGPASSD_CA_FILE: volume,
    AZURE_TENANT_ID: 'tenant.example',
    AZURE_CLIENT_ID: 'client',
    AZURE_FEDERATED_TOKEN_FILE: '/nowhere/token',
  };
  const running = run({ env, signal: stop.signal });
  setImmediate(() => stop.abort(143));
  expect(await running).toEqual({ code: 143, text: '' });
});
