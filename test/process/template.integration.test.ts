import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PLACEHOLDER } from '../../src/passfile/format.ts';
import { entries, openTemplate, templateOf } from './template-volume.ts';

test('a bad edit is told, and the last good template stays in force', async () => {
  const { passfile, start, change, path } = await openTemplate();
  const pgpassd = start(['run', '--template', path], { env: entries });
  await pgpassd.waitFor('token.refreshed');
  const before = await readFile(passfile, 'utf8');
  await change('# nobody manages this\n');
  expect((await pgpassd.waitFor('template.rejected')).msg).toContain('last valid template');
  pgpassd.signal('SIGHUP');
  await pgpassd.waitFor('token.refreshed');
  expect((await readFile(passfile, 'utf8')).split('\n').length).toBe(before.split('\n').length);
});

test('a template that has gone is told, and what it said stays in force', async () => {
  const { passfile, directory, start } = await openTemplate();
  const path = join(directory, 'template');
  await writeFile(path, templateOf('one'));
  const pgpassd = start(['run', '--template', path], { env: entries });
  await pgpassd.waitFor('token.refreshed');
  await rm(path);
  for (let looks = 0; looks < 2; looks += 1) {
    pgpassd.signal('SIGHUP');
    await pgpassd.waitFor('token.refreshed');
  }
  const { msg } = await pgpassd.waitFor('template.rejected');
  expect(msg).toMatch(/^--template .*\/template cannot be read \(ENOENT\)/);
  expect(await readFile(passfile, 'utf8')).toContain('\none:5432:*:app:');
});

test('a template without a managed line is a configuration error', async () => {
  const { directory, start } = await openTemplate();
  const path = join(directory, 'template');
  await writeFile(path, 'h:*:*:u:password\n');
  const pgpassd = start(['run', '--template', path], { env: entries });
  expect((await pgpassd.exited).code).toBe(2);
  expect(pgpassd.errors()).toContain(`no line whose password is ${PLACEHOLDER}`);
});
