import { readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { PLACEHOLDER } from '../src/passfile/format.ts';
import { createRefresher, type RefresherOptions } from '../src/refresh/create-refresher.ts';
import { fileWith } from './support/temporary-file.ts';

const source = async () => ({ token: 'a-token', expiresAt: new Date(Date.now() + 3_600_000) });

test.each<[string, Partial<RefresherOptions>, RegExp]>([
  ['neither entries nor a template', {}, /either entries or a template, and was given neither$/],
  ['no entry', { entries: [] }, /was given neither$/],
  ['both', { entries: ['h:*:*:u'], template: '/nowhere' }, /was given both$/],
  [
    'an entry with a password',
    { entries: ['h:*:*:u:hunter2'] },
    /^an entry cannot be used: write /,
  ],
  [
    'a template that is not there',
    { template: '/nowhere' },
    /^--template \/nowhere cannot be read/,
  ],
])('createRefresher refuses %s, and touches nothing', async (_case, given, message) => {
  const directory = dirname(await fileWith(''));
  const before = await readdir(directory);
  const passfile = join(directory, 'pgpass');
  const refused: unknown = await createRefresher({ passfile, source, ...given }).catch((e) => e);
  expect(refused).toMatchObject({ name: 'PgpassdError', code: 'config.invalid' });
  expect(refused).toMatchObject({ message: expect.stringMatching(message) });
  expect(String(refused)).not.toContain('hunter2');
  expect(await readdir(directory)).toEqual(before);
});

test('createRefresher refuses a passfile of another writer, unless a template says what the whole file is to be', async () => {
  const directory = dirname(await fileWith(''));
  const passfile = join(directory, 'pgpass');
  const foreign = 'prod.example.com:5432:*:boss:hunter2\n';
  await writeFile(passfile, foreign);
  const refused: unknown = await createRefresher({
    passfile,
    source,
    entries: ['h:*:*:u'],
  }).catch((e) => e);
  expect(refused).toMatchObject({
    code: 'config.invalid',
    message: expect.stringMatching(/line 1 is for none of the entries and holds no token$/),
  });
  const template = await fileWith(`h:*:*:u:${PLACEHOLDER}\n`);
  const keptAs: string[] = [];
  const stop = new AbortController();
  const refresher = await createRefresher({
    passfile,
    source,
    template,
    onEvent: (event) => {
      if (event.type === 'passfile.kept') keptAs.push(event.keptAs);
      if (event.type === 'token.refreshed') stop.abort();
    },
  });
  expect(await readFile(passfile, 'utf8')).toBe(foreign);
  await refresher.run(stop.signal);
  expect(keptAs).toEqual([`${passfile}.before-pgpassd`]);
  expect(await readFile(`${passfile}.before-pgpassd`, 'utf8')).toBe(foreign);
  expect(await readFile(passfile, 'utf8')).toBe('h:*:*:u:a-token\n');
});

test('the module of the package only re-exports', async () => {
  const text = await readFile(new URL('../src/index.ts', import.meta.url), 'utf8');
  expect(text).toMatch(/^(export (type )?\{[^{}]*\} from '\.[^']+';\n)+$/);
});

test('createRefresher refuses a template that is the passfile', async () => {
  const template = await fileWith(`h:*:*:u:${PLACEHOLDER}\n`);
  const same = createRefresher({ passfile: template, source, template });
  await expect(same).rejects.toMatchObject({
    code: 'config.invalid',
    message: '--template and --passfile (PGPASSFILE) name the same file',
  });
});
