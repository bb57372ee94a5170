import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { createRefresher, type RefresherOptions } from '../src/index.ts';
import { fileWith } from './support/temporary-file.ts';

const source = async () => ({ token: 'a-token', expiresAt: new Date(Date.now() + 3_600_000) });

test.each<[string, Partial<RefresherOptions>, RegExp]>([
  ['neither entries nor a template', {}, /neither entries nor a template$/],
  ['no entry', { entries: [] }, /neither entries nor a template$/],
  ['both', { entries: ['h:*:*:u'], template: '/nowhere' }, /both entries and a template$/],
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
