import { expect, test } from 'vitest';
import { findLeaks } from '../support/leak-check.ts';
import type { Pgpassd } from '../support/pgpassd-process.ts';
import { unsignedJwt } from '../support-units/unsigned-jwt.ts';
import { openWorkload, sentencesOf } from './workload.ts';

const secret = unsignedJwt({ sub: 'somebody' });

/** Starts `once` with something in its process that fails, in words that hold a secret. */
async function startBroken(breakIt: string): Promise<Pgpassd> {
  const preload = `const fail = () => { throw new Error('The token is ${secret}'); };\n${breakIt};`;
  const preloaded = `data:text/javascript,${encodeURIComponent(preload)}`;
  const { start } = await openWorkload();
  return start(['once'], { env: { NODE_OPTIONS: `--import ${preloaded}` } });
}

test.each([
  ['the command line', 'process.argv.slice = fail'],
  ['standard output', "Object.defineProperty(process, 'stdout', { get: fail })"],
  ['warnings', "process.listenerCount = (name) => (name === 'warning' ? fail() : 1)"],
])(
  'a failure of %s, outside of any command, ends with 1 and is not repeated',
  async (_what, breakIt) => {
    const pgpassd = await startBroken(breakIt);
    expect(await pgpassd.exited, pgpassd.output()).toEqual({ code: 1, signal: null });
    expect(pgpassd.output()).toMatch(/^pgpassd: internal error [^\n]*\n$/);
    expect(findLeaks(pgpassd.output(), [secret])).toEqual([]);
  },
);

const atCommand = (what: string) =>
  `Object.defineProperty(process.stdout, 'isTTY', { get() { ${what}; } })`;

test.each([
  ['nobody caught', atCommand('setImmediate(fail)')],
  ['nobody awaited', atCommand('Promise.resolve().then(fail)')],
])(
  'a failure that %s, while a command runs, ends with 1 and is told without its secrets',
  async (_how, breakIt) => {
    const pgpassd = await startBroken(breakIt);
    expect(await pgpassd.exited, pgpassd.output()).toEqual({ code: 1, signal: null });
    expect(sentencesOf(pgpassd.errors())[0]).toBe('internal error: The token is [redacted]');
    expect(findLeaks(pgpassd.output(), [secret])).toEqual([]);
  },
);
