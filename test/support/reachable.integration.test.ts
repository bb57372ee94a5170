import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Program, reachableBy } from './reachable.ts';

const uid = 65_534;
const notRoot = process.getuid?.() !== 0;

const files = {
  'package.json': '{ "type": "module" }',
  'package-lock.json': JSON.stringify({
    packages: {
      '': { name: 'program' },
      'node_modules/greeting': {},
      'node_modules/greeting/node_modules/name': {},
      'node_modules/only-to-build': { dev: true },
      'node_modules/of-another-system': { optional: true },
    },
  }),
  'node_modules/greeting/index.js': "import name from 'name'; export default 'hello, ' + name;",
  'node_modules/greeting/package.json': '{ "type": "module", "exports": "./index.js" }',
  'node_modules/greeting/node_modules/name/index.js': "module.exports = 'other user';",
  'node_modules/only-to-build/index.js': '',
  'src/main.js': "import { say } from './say.js'; say(process.getuid());",
  'src/say.js':
    "import hello from 'greeting'; export const say = (uid) => console.log(hello, uid);",
};

/** A program with dependencies, below a directory and with files of these modes. */
async function checkout(modes: { above: number; files: number }): Promise<Program> {
  const above = await mkdtemp(join(tmpdir(), 'pgpassd-checkout-'));
  onTestFinished(() => rm(above, { recursive: true }));
  await chmod(above, modes.above);
  const root = join(above, 'a clone of mine');
  for (const [name, content] of Object.entries(files)) {
    const path = join(root, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
    await chmod(path, modes.files);
  }
  return { node: process.execPath, entry: join(root, 'src/main.js') };
}

const printedBy = ({ node, entry }: Program) => {
  const options = { uid, gid: uid, cwd: '/', env: {}, encoding: 'utf8' } as const;
  const { stdout, stderr } = spawnSync(node, [entry], options);
  return stdout + stderr;
};

describe.skipIf(notRoot)('another user can start the program (as root)', () => {
  test.each([
    ['in a home that others may not enter', { above: 0o700, files: 0o644 }],
    ['whose files are for their owner', { above: 0o755, files: 0o600 }],
  ])('of a checkout %s, and finds its dependencies', async (_where, modes) => {
    const program = await checkout(modes);
    expect(printedBy(program)).not.toContain('hello');
    const reachable = reachableBy(uid, program);
    expect(printedBy(reachable)).toBe(`hello, other user ${uid}\n`);
    const copied = (name: string) => existsSync(join(dirname(reachable.entry), '..', name));
    expect(copied('node_modules/greeting')).toBe(true);
    expect(copied('node_modules/only-to-build')).toBe(false);
    expect(reachableBy(uid, program)).toBe(reachable);
  });

  test('where it is, when its checkout is open', async () => {
    const program = await checkout({ above: 0o755, files: 0o644 });
    const open = { ...program, node: reachableBy(uid, program).node };
    expect(reachableBy(uid, open).entry).toBe(program.entry);
  });

  test('but for one that fails wherever it is', async () => {
    const program = await checkout({ above: 0o755, files: 0o644 });
    await writeFile(program.entry, 'process.exit(1)');
    expect(() => reachableBy(uid, program)).toThrow(/can start no copy/);
  });
});
