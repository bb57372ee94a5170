import { expect, test } from 'vitest';
import { check } from '../../src/commands/check.ts';
import type { Environment } from '../../src/config/option.ts';

/** What the command prints on a terminal. */
async function printed(columns: number | undefined, env: Environment = {}): Promise<string> {
  let text = '';
  await check({
    flags: { offline: ['true'] },
    rest: undefined,
    terminal: true,
    columns,
    print: (piece) => {
      text += piece;
    },
    printToStderr: () => undefined,
    signal: new AbortController().signal,
    secrets: [],
    openLog: () => Promise.reject(new Error('check has no log')),
    onHangup: () => undefined,
    env: { PGPASSD_HTTP_ADDRESS: 'off', PGPASSFILE: '/nowhere/pgpass', ...env },
  });
  return text;
}

const plain = { NO_COLOR: '1' };
const widthOf = (text: string) => Math.max(...text.split('\n').map((line) => line.length));

test.each([
  ['without a width', undefined, 80],
  ['whose width is 0', 0, 80],
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
