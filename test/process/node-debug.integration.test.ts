import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import { findLeaks } from '../support/leak-check.ts';
import { lookUntil } from '../support/look-until.ts';
import { portOf, probe } from './probing.ts';
import { openWorkload, sentencesOf } from './workload.ts';

/** What Node.js was not asked for before it loads its cache would be told, too. */
const uncached = { NODE_COMPILE_CACHE: undefined };

describe.concurrent('what Node.js prints about itself holds no piece of a token', () => {
  test('with NODE_DEBUG=*', async ({ expect, onTestFinished }) => {
    const { entra, start } = await openWorkload({ onTestFinished });
    const pgpassd = start(['run'], { env: { ...uncached, NODE_DEBUG: '*' } });
    await pgpassd.waitFor('token.refreshed');
    const port = await portOf(pgpassd);
    for (const path of ['/readyz', '/livez'] as const) await probe(port, path);
    pgpassd.signal('SIGTERM');
    expect(await pgpassd.exited).toEqual({ code: 0, signal: null });
    expect(pgpassd.errors()).toContain('NET');
    expect(findLeaks(pgpassd.output(), entra.secrets())).toEqual([]);
  });

  test('of a token command', async ({ expect, onTestFinished }) => {
    const { start } = await openWorkload({ onTestFinished });
    const token = 'a-token-of-more-than-sixteen-characters';
    // The shell puts it together: the command line does not hold it.
    const halves = [token.slice(0, 15), token.slice(15, 30), token.slice(30)];
    const command = `printf %s%s%s ${halves.join(' ')}`;
    const args = ['once', '--token-command', command, '--token-lifetime', '15m'];
    const pgpassd = start(args, { env: { ...uncached, NODE_DEBUG: '*' } });
    expect(await pgpassd.exited).toEqual({ code: 0, signal: null });
    expect(findLeaks(pgpassd.output(), [token])).toEqual([]);
  });

  test('in the files of NODE_V8_COVERAGE', async ({ expect, onTestFinished }) => {
    const { entra, directory, start } = await openWorkload({ onTestFinished });
    const coverage = join(directory, 'coverage');
    await mkdir(coverage);
    const pgpassd = start(['once'], { env: { NODE_V8_COVERAGE: coverage } });
    expect(await pgpassd.exited).toEqual({ code: 0, signal: null });
    const files = await readdir(coverage);
    expect(files).not.toEqual([]);
    for (const file of files) {
      const text = await readFile(join(coverage, file), 'utf8');
      expect(findLeaks(text, entra.secrets())).toEqual([]);
    }
  });

  test('in its warnings, which are told as sentences', async ({ expect, onTestFinished }) => {
    const { entra, volume, start } = await openWorkload({ onTestFinished });
    const assertion = await readFile(volume.tokenPath, 'utf8');
    const warn = `process.emitWarning('Ignoring ' + process.env.QUOTED + '\\x1b[2J')`;
    // In the program itself, after the start: Node.js emits such warnings at any time.
    const late = `data:text/javascript,${encodeURIComponent(`setTimeout(() => ${warn}, 100)`)}`;
    const env = { QUOTED: assertion, NODE_OPTIONS: `--import ${late}` };
    const pgpassd = start(['run'], { env });
    await pgpassd.waitFor('token.refreshed');
    await lookUntil(() => pgpassd.errors() !== '');
    pgpassd.signal('SIGTERM');
    expect(await pgpassd.exited).toEqual({ code: 0, signal: null });
    expect(sentencesOf(pgpassd.errors())).toEqual(['Node.js warns: Ignoring [redacted][2J']);
    expect(findLeaks(pgpassd.output(), [...entra.secrets(), assertion])).toEqual([]);
  });
});
