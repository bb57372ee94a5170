import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { PLACEHOLDER } from '../../src/passfile/format.ts';
import { readPassfile } from '../../src/passfile/inspect.ts';
import { assertSize, entriesLayout, templateLayout } from '../../src/passfile/layout.ts';
import { createPassfile } from '../../src/passfile/passfile.ts';
import { createRefresher } from '../../src/refresh/create-refresher.ts';
import { Secret } from '../../src/support/secret.ts';
import { entry } from './arbitrary-fields.ts';

const entriesFor = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    host: `host${index}.example.com`,
    port: '5432',
    database: null,
    user: 'app',
  }));
const tooLarge = { code: 'config.invalid', message: expect.stringMatching(/4096 KiB/) };

async function openPath(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'pgpassd-size-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  return join(directory, 'pgpass');
}

test('as many lines as can be read again are written, and no line more', async () => {
  const path = await openPath();
  const token = new Secret('t'.repeat(2000));
  const lineBytes = 'host1000.example.com:5432:*:app:\n'.length + 2000;
  const most = Math.floor((4 * 1024 * 1024) / lineBytes);
  const target = { path, mode: 0o600, owner: undefined };
  const publish = (count: number) =>
    createPassfile(
      target,
      () => entriesLayout(entriesFor(count)),
      () => true,
    ).publish(token);
  await publish(most);
  const found = await readPassfile(path);
  expect(found.kind === 'lines' && found.lines).toHaveLength(most);
  const before = await readFile(path);
  await expect(publish(most + 100)).rejects.toMatchObject({
    ...tooLarge,
    remedy: expect.stringMatching(/--entry.*--template/),
  });
  expect((await readFile(path)).equals(before)).toBe(true);
});

test('a token that does not fit leaves the passfile with the one before', async () => {
  const path = await openPath();
  const passfile = createPassfile(
    { path, mode: 0o600, owner: undefined },
    () => entriesLayout(entriesFor(1000)),
    () => true,
  );
  await passfile.publish(new Secret('t'.repeat(1000)));
  const before = await readFile(path);
  await expect(passfile.publish(new Secret('t'.repeat(60_000)))).rejects.toMatchObject(tooLarge);
  expect((await readFile(path)).equals(before)).toBe(true);
});

test('createRefresher refuses what leaves no room for a small token', async () => {
  const path = await openPath();
  const source = async () => ({ token: 'x', expiresAt: new Date(Date.now() + 3_600_000) });
  const create = (count: number) =>
    createRefresher({ passfile: path, entries: entriesFor(count), source });
  await create(5_000);
  await expect(create(10_000)).rejects.toMatchObject(tooLarge);
});

test('the size is foreseen to the byte', () => {
  const passwords = fc.string({ unit: fc.constantFrom('a', ':', '\\', 'ä') });
  fc.assert(
    fc.property(fc.array(entry, { minLength: 1, maxLength: 4 }), passwords, (entries, password) => {
      const layout = entriesLayout(entries);
      const foreseen =
        layout.render('').length +
        (layout.managedLines * (layout.render(password).length - layout.render('').length)) /
          entries.length;
      expect(layout.managedLines).toBe(entries.length);
      expect(layout.render(password).length).toBe(foreseen);
    }),
  );
  const template = templateLayout(Buffer.from(`a:*:*:b:${PLACEHOLDER}\n#\nc:*:*:d:${PLACEHOLDER}`));
  expect(template?.managedLines).toBe(2);
  expect(() => template && assertSize(template, '/p', 'x'.repeat(65_530))).not.toThrow();
});
