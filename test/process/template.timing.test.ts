import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { PLACEHOLDER } from '../../src/passfile/format.ts';
import { entries, openTemplate, templateOf } from './template-volume.ts';

test('a changed template is in force within two seconds, without an exchange', async () => {
  const { entra, passfile, start, change, path } = await openTemplate();
  const pgpassd = start(['run', '--template', path], { env: entries });
  await pgpassd.waitFor('token.refreshed');
  const [token = ''] = entra.issued;
  expect(await readFile(passfile, 'utf8')).toBe(templateOf('one').replace(PLACEHOLDER, token));

  const written = pgpassd
    .waitFor('template.changed')
    .then(() => pgpassd.waitFor('passfile.written'));
  await pgpassd.waitFor('passfile.written');
  const changedAt = performance.now();
  await change(templateOf('two'));
  await written;
  expect(performance.now() - changedAt).toBeLessThan(2000);
  expect(await readFile(passfile, 'utf8')).toBe(templateOf('two').replace(PLACEHOLDER, token));
  expect(entra.requests).toHaveLength(1);
});
