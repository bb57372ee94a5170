import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findPassfile } from '../../../src/check/host.ts';
import type { Side } from '../../../src/check/step.ts';
import { checkOverrides } from '../../../src/check/steps/overrides.ts';
import type { Environment } from '../../../src/config/option.ts';
import { contextWith, emptyDirectory, shown } from '../context.ts';

const passfile = '/pgpass/pgpass';
const secret = 'must not be shown';

async function check(env: Environment, side: Side = 'client'): Promise<string[]> {
  const context = contextWith({ PGPASSFILE: passfile, ...env });
  const findings = await checkOverrides(context, side, await findPassfile(passfile));
  return shown(findings, [secret]);
}

async function serviceFile(content: string): Promise<string> {
  const path = join(await emptyDirectory(), '.pg_service.conf');
  await writeFile(path, content);
  return path;
}

test('an environment with nothing but PGPASSFILE leaves libpq to the passfile', async () => {
  expect(await check({})).toEqual([
    '✓ nothing in this environment takes precedence over the passfile',
  ]);
});

describe('a password', () => {
  test('in PGPASSWORD is wrong, and not shown', async () => {
    expect(await check({ PGPASSWORD: secret })).toEqual([
      expect.stringMatching(
        /^✗ pgpassword-set \(passfile\.overridden\): PGPASSWORD is set.* → Remove/,
      ),
    ]);
  });

  test('that is empty is none', async () => {
    expect((await check({ PGPASSWORD: '' })).join()).toMatch(/^✓/);
  });
});

describe('the passfile of the client', () => {
  test.each<[string, Environment, Side, RegExp]>([
    [
      'is the one that PGPASSFILE names',
      { PGPASSFILE: '/pgpass/../pgpass/pgpass' },
      'client',
      /^✓/,
    ],
    [
      'is another one',
      { PGPASSFILE: '/home/app/.pgpass' },
      'daemon',
      /^✗ pgpassfile-differs .*\/home/,
    ],
    [
      'is nowhere said',
      { PGPASSFILE: undefined },
      'client',
      /^✗ pgpassfile-unset .*PGPASSFILE=\/pg/,
    ],
    [
      'is not the one at home',
      { PGPASSFILE: '', HOME: '/pgpass' },
      'client',
      /^✗ pgpassfile-unset/,
    ],
    ['is the client’s business', { PGPASSFILE: undefined }, 'daemon', /^✓/],
  ])('%s', async (_case, env, side, expected) => {
    expect((await check(env, side)).join()).toMatch(expected);
  });

  test('is the default one of its home directory', async () => {
    const context = contextWith({ HOME: '/home/app' });
    const atHome = await findPassfile('/home/app/.pgpass');
    expect(shown(await checkOverrides(context, 'client', atHome)).join()).toMatch(/^✓/);
  });
});

describe('a service', () => {
  test.each<[string, string, RegExp]>([
    ['that sets a password', `[app]\nhost=x\npassword=${secret}\n`, /^✗ service-password .* app /],
    ['whose password is empty', '[app]\npassword=\n', /^✓/],
    ['that names another passfile', '[app]\npassfile=/other\n', /^✗ service-passfile .*\/other/],
    ['that names this passfile', `[app]\r\n  passfile=${passfile}\n`, /^✓/],
    ['beside one with a password', `[app]\nhost=x\n\n[b]\npassword=${secret}\n`, /^✓/],
    ['whose password is a comment', `[app]\n#password=${secret}\n`, /^✓/],
    ['that stands only below another', `[b]\npassword=${secret}\n`, /^✗ service-missing .*app/],
  ])('%s', async (_case, content, expected) => {
    const texts = await check({ PGSERVICE: 'app', PGSERVICEFILE: await serviceFile(content) });
    expect(texts).toEqual([expect.stringMatching(expected)]);
  });

  test('is found in the home directory, and then in that of the system', async () => {
    const home = await emptyDirectory();
    const system = await emptyDirectory();
    const env = { PGSERVICE: 'app', HOME: home, PGSYSCONFDIR: system };
    expect((await check(env)).join()).toContain(`${home}/.pg_service.conf or ${system}/pg_service`);
    await writeFile(join(system, 'pg_service.conf'), `[app]\npassword=${secret}\n`);
    expect((await check(env)).join()).toContain(`in ${system}/pg_service.conf has a password`);
    await writeFile(join(home, '.pg_service.conf'), '[app]\n');
    expect((await check(env)).join()).toMatch(/^✓/);
  });

  test('is found nowhere else when PGSERVICEFILE does not exist', async () => {
    const system = await emptyDirectory();
    await writeFile(join(system, 'pg_service.conf'), '[app]\nhost=x\n');
    const env = { PGSERVICE: 'app', PGSYSCONFDIR: system };
    expect((await check({ ...env, PGSERVICEFILE: '/nowhere' })).join()).toMatch(/^✗ service-miss/);
    expect((await check({ ...env, PGSERVICEFILE: await serviceFile('') })).join()).toMatch(/^✓/);
  });

  test('that PGSERVICE does not name is not examined', async () => {
    const path = await serviceFile(`[app]\npassword=${secret}\n`);
    expect((await check({ PGSERVICEFILE: path })).join()).toMatch(/^✓/);
  });
});

describe('a demand on how to authenticate', () => {
  test.each<[string, string, boolean]>([
    ['PGCHANNELBINDING', 'require', false],
    ['PGCHANNELBINDING', 'prefer', true],
    ['PGREQUIREAUTH', 'scram-sha-256', false],
    ['PGREQUIREAUTH', '!password', false],
    ['PGREQUIREAUTH', '!md5, !password', false],
    ['PGREQUIREAUTH', 'scram-sha-256,password', true],
    ['PGREQUIREAUTH', '!md5', true],
  ])('%s=%s lets a token through: %s', async (variable, value, passes) => {
    const texts = await check({ [variable]: value });
    if (passes) expect(texts.join()).toMatch(/^✓/);
    else
      expect(texts).toEqual([
        expect.stringContaining(
          `✗ cleartext-forbidden (passfile.overridden): ${variable}=${value}`,
        ),
      ]);
  });
});
