import { expect, test } from 'vitest';
import { findLeaks } from '../support/leak-check.ts';
import { unsignedJwt } from '../support-units/unsigned-jwt.ts';
import { openWorkload } from './workload.ts';

const secret = unsignedJwt({ sub: 'somebody' });

test.each([
  ['the command line', 'process.argv.slice = fail'],
  ['standard output', "Object.defineProperty(process, 'stdout', { get: fail })"],
  ['warnings', "process.listenerCount = (name) => (name === 'warning' ? fail() : 1)"],
])(
  'a failure of %s, outside of any command, ends with 1 and is not repeated',
  async (_what, breakIt) => {
    const preload = `const fail = () => { throw new Error('${secret}'); };\n${breakIt};`;
    const preloaded = `data:text/javascript,${encodeURIComponent(preload)}`;
    const { start } = await openWorkload();
    const pgpassd = start(['once'], { env: { NODE_OPTIONS: `--import ${preloaded}` } });
    expect(await pgpassd.exited, pgpassd.output()).toEqual({ code: 1, signal: null });
    expect(pgpassd.output()).toMatch(/^pgpassd: internal error [^\n]*\n$/);
    expect(findLeaks(pgpassd.output(), [secret])).toEqual([]);
  },
);
