import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import { findLeaks } from '../support/leak-check.ts';
import { unsignedJwt } from '../support-units/unsigned-jwt.ts';
import { openWorkload } from './workload.ts';

const jwt = unsignedJwt({ sub: 'somebody' });

const misplaced: readonly [what: string, env: Record<string, string>, secret: string][] = [
  ['a line of a passfile in PGPASSFILE', { PGPASSFILE: 'db:5432:*:app:hunter2' }, 'hunter2'],
  ['a token in PGPASSFILE', { PGPASSFILE: jwt }, jwt],
  ['a connection string in PGPASSFILE', { PGPASSFILE: 'host=db password=hunter2' }, 'hunter2'],
];

const ofTheDaemon: typeof misplaced = [
  ['the token in AZURE_FEDERATED_TOKEN_FILE', { AZURE_FEDERATED_TOKEN_FILE: jwt }, jwt],
  [
    'a line in PGPASSD_TEMPLATE',
    { PGPASSD_TEMPLATE: 'db:5432:*:app:hunter2', PGPASSD_ENTRIES: '' },
    'hunter2',
  ],
  [
    'a key in PGPASSD_CA_FILE',
    { PGPASSD_CA_FILE: '-----BEGIN PRIVATE KEY----- hunter2' },
    'hunter2',
  ],
];

interface Misplacing {
  readonly args: readonly string[];
  readonly asProcess?: true;
  readonly misplacements: typeof misplaced;
}

const commands: readonly Misplacing[] = [
  // As a process that has a working directory of its own.
  { args: ['run'], asProcess: true, misplacements: [...misplaced, ...ofTheDaemon] },
  { args: ['once', '--timeout', '1s'], misplacements: [...misplaced, ...ofTheDaemon] },
  { args: ['wait', '--timeout', '1s'], misplacements: misplaced },
  { args: ['check', '--offline'], misplacements: [...misplaced, ...ofTheDaemon] },
  { args: ['check', '--offline', '--json'], misplacements: [...misplaced, ...ofTheDaemon] },
];

describe.concurrent.for(commands)('pgpassd $args', ({ args, asProcess = false, misplacements }) => {
  test.for(misplacements)(
    'refuses %s without repeating it, and makes no file of that name',
    async ([, env, secret], { expect, onTestFinished }) => {
      const { start, startHere, entra } = await openWorkload({ onTestFinished });
      const directory = await mkdtemp(join(tmpdir(), 'pgpassd-cwd-'));
      onTestFinished(() => rm(directory, { recursive: true }));
      const under = ['sh', '-c', 'cd "$0" && exec "$@"', directory];
      const pgpassd = asProcess ? start(args, { env, under }) : startHere(args, { env });
      expect(await pgpassd.exited).toEqual({ code: 2, signal: null });
      // The report of check breaks lines.
      expect(pgpassd.output().replaceAll(/\s+/g, ' ')).toContain(
        'this is the content, not its path',
      );
      expect(pgpassd.output()).toContain(Object.keys(env)[0]);
      expect(findLeaks(pgpassd.output(), [secret])).toEqual([]);
      // Where a relative path would make a file.
      expect(await readdir(directory)).toEqual([]);
      expect(Object.values(env).filter((path) => path !== '' && existsSync(path))).toEqual([]);
      expect(entra.requests).toEqual([]);
    },
  );
});

describe.concurrent('what is printed of settings holds no secret:', () => {
  const password = 'correct.horse~battery.staple';

  test.for<[what: string, args: string[], env: Record<string, string>]>([
    ['a token for a command', [jwt], {}],
    ['a password for a command', [password], {}],
    ['a token as an argument of an unknown flag', ['once', '--no-such-flag', jwt], {}],
    ['a password as a flag', ['once', `--${password}`], {}],
    [
      'a command line as the program of wait',
      ['wait', '--', `psql postgresql://a:${password}@db/`],
      {},
    ],
    ['a token as a token command', ['once', '--timeout', '1s', '--token-command', jwt], {}],
    ['a service that is a token', ['check', '--offline'], { PGSERVICE: jwt }],
    [
      'a password in a file of services that is none',
      ['check', '--offline'],
      { PGSERVICE: 'mine', PGSERVICEFILE: `db:5432:*:app:${password}` },
    ],
    ['a token in the entry', ['check', '--offline'], { PGPASSD_ENTRIES: `db:5432:*:${jwt}` }],
    ['a token for a client id', ['once', '--timeout', '1s'], { AZURE_CLIENT_ID: jwt }],
    [
      'a token for a tenant',
      ['once', '--timeout', '1s'],
      { AZURE_TENANT_ID: jwt.replaceAll('_', '-') },
    ],
    [
      'a password that is set elsewhere, too',
      ['check', '--offline'],
      {
        PGPASSWORD: password,
        PGUSER: password,
        PGHOST: 'db',
        PGPASSD_ENTRIES: '',
        PGPASSFILE: `/${password}`,
      },
    ],
  ])('%s', async ([, args, env], { expect, onTestFinished }) => {
    const { startHere } = await openWorkload({ onTestFinished });
    const pgpassd = startHere(args, { env });
    const { code } = await pgpassd.exited;
    expect(code).not.toBe(0);
    expect(code).not.toBe(1);
    expect(findLeaks(pgpassd.output(), [jwt, password])).toEqual([]);
  });
});

describe.concurrent('what steers a terminal is not printed:', () => {
  const steering = '\u001b]0;title\u0007\u202eevil\u2066\nlevel=fatal';
  const raw = /[\p{Cc}\p{Cf}\u2028\u2029]/u;
  const withoutLineEnds = (text: string) => text.replaceAll('\n', '');
  const claims = {
    iss: `https://issuer.example/${steering}`,
    sub: steering,
    aud: [steering],
    exp: 4_000_000_000,
  };

  test.for([
    {
      by: 'once, for people',
      args: ['once', '--timeout', '2s', '--log-format', 'pretty'],
      asProcess: true,
    },
    { by: 'once', args: ['once', '--timeout', '2s'], asProcess: true },
    { by: 'check', args: ['check', '--offline'] },
    { by: 'check, for programs', args: ['check', '--offline', '--json'] },
  ])('of claims, by $by', async ({ args, asProcess = false }, { expect, onTestFinished }) => {
    const workload = await openWorkload({ onTestFinished, federatedToken: unsignedJwt(claims) });
    const pgpassd = asProcess ? workload.start(args) : workload.startHere(args);
    await pgpassd.exited;
    expect(pgpassd.output()).toContain('https://issuer.example/');
    expect(withoutLineEnds(pgpassd.output())).not.toMatch(raw);
    expect(pgpassd.output()).not.toMatch(/^(?:pgpassd: )?level=fatal/m);
  });

  test.for([
    { by: 'wait', args: ['wait', '--timeout', '1s'] },
    { by: 'check', args: ['check', '--offline'] },
    { by: 'check, for programs', args: ['check', '--offline', '--json'] },
  ])('of the name of a passfile, by $by', async ({ args }, { expect, onTestFinished }) => {
    const { startHere } = await openWorkload({ onTestFinished });
    const pgpassd = startHere(args, { env: { PGPASSFILE: '/nowhere/\u202egnp.passfile' } });
    await pgpassd.exited;
    expect(pgpassd.output()).toContain('/nowhere/');
    expect(withoutLineEnds(pgpassd.output())).not.toMatch(raw);
  });

  test('of the name of a program', async ({ expect, onTestFinished }) => {
    const { start } = await openWorkload({ onTestFinished });
    const pgpassd = start(['wait', '--', `/bin/${steering}`]);
    expect(await pgpassd.exited).toEqual({ code: 2, signal: null });
    expect(withoutLineEnds(pgpassd.errors())).not.toMatch(raw);
    expect(pgpassd.errors()).not.toMatch(/^(?:pgpassd: )?level=fatal/m);
  });

  test('of what a service of libpq says', async ({ expect, onTestFinished }) => {
    const { startHere, directory } = await openWorkload({ onTestFinished });
    const file = join(directory, 'services');
    await writeFile(file, '[mine]\nhost=db\npassfile=/\u001b[2J\u202eother\n');
    const pgpassd = startHere(['check', '--offline'], {
      env: { PGSERVICE: 'mine', PGSERVICEFILE: file },
    });
    await pgpassd.exited;
    expect(withoutLineEnds(pgpassd.output())).not.toMatch(raw);
  });
});
