import { describe, expect, test } from 'vitest';
import { checkLookup } from '../../../src/check/steps/lookup.ts';
import type { Environment } from '../../../src/config/option.ts';
import type { FoundPassfile } from '../../../src/passfile/inspect.ts';
import { parseLines } from '../../../src/passfile/lookup.ts';
import { unsignedJwt } from '../../support-units/unsigned-jwt.ts';
import { contextWith, shown } from '../context.ts';

const path = '/pgpass/pgpass';
const token = unsignedJwt({ exp: Date.now() / 1000 + 3000 });
const expired = unsignedJwt({ exp: Date.now() / 1000 - 3000 });
const secret = 'hunter2-hunter2-hunter2';

/** How tokens are asked for. */
const entra: Environment = {
  AZURE_TENANT_ID: 'tenant.example',
  AZURE_CLIENT_ID: 'client',
  AZURE_FEDERATED_TOKEN_FILE: '/token',
};

function check(
  lines: readonly string[],
  env: Environment = {},
  service: Environment = {},
): string[] {
  const found: FoundPassfile = {
    kind: 'lines',
    file: { mode: 0o600, uid: 1000, gid: 1000, sizeBytes: 1, mtimeMs: 0, symlink: false },
    lines: parseLines(lines.join('\n')),
  };
  const context = contextWith(env);
  const asClient = { ...context, env: { ...env, ...service } };
  const findings = checkLookup(asClient, { path, found }, context.reading.entries);
  return shown(findings, [token, expired, secret]);
}

describe('the line that a client gets', () => {
  const by = (connection: string) => ({ PGPASSD_FOR: connection });

  test.each<[string, readonly string[], string, string]>([
    [
      'is reported with its content',
      [`db:*:*:app:${token}`],
      'db:5432:shop:app',
      '✓ db:5432:shop:app gets line 1, a token valid for 50 min',
    ],
    [
      'may hold an expired token',
      [`db:*:*:app:${expired}`],
      'db:5432:shop:app',
      '✓ db:5432:shop:app gets line 1, a token that expired 50 min ago',
    ],
    [
      'may hold a password',
      [`db:*:*:app:${secret}`],
      'db:5432:shop:app',
      '✓ db:5432:shop:app gets line 1, a password of unknown lifetime',
    ],
    [
      'comes behind others, for a reason each',
      [
        '# ours',
        'db',
        `replica:*:*:app:${secret}`,
        `db:6432:*:admin:${token}`,
        `db:*:*:app:${token}`,
      ],
      'db:5432:shop:app',
      '✓ db:5432:shop:app gets line 5, a token valid for 50 min; before it line 2 has fewer than five fields, line 3 has host replica, line 4 has port 6432 and user admin',
    ],
    [
      'has libpq’s defaults where the client says nothing',
      [`db:5432:app:app:${token}`],
      'postgresql://app@db',
      '✓ db:5432:app:app gets line 1, a token valid for 50 min',
    ],
  ])('%s', (_case, lines, connection, expected) => {
    expect(check(lines, by(connection))).toEqual([expected]);
  });

  test('is that of libpq’s variables by default', () => {
    const env = { PGHOST: 'db', PGUSER: 'app', PGDATABASE: 'shop' };
    expect(check([`db:*:shop:app:${token}`], env)).toEqual([
      '✓ the entry has its line',
      '✓ db:5432:shop:app gets line 1, a token valid for 50 min',
    ]);
  });

  test('is none when a name is spelled in another way', () => {
    const [text] = check([`my-db.example:5432:*:app:${token}`], by('My-DB.example:5432:shop:app'));
    expect(text).toMatch(
      /^✗ lookup-no-line \(passfile\.no-line\): no line of the passfile \/pgpass\/pgpass matches My-DB\.example:5432:shop:app: line 1 has host my-db\.example → Spell/,
    );
  });

  test('is none, and a few lines tell why', () => {
    const lines = ['a', 'b', 'c', 'd', 'e', 'f'].map((host) => `${host}:*:*:app:${token}`);
    expect(check(lines, by('db:5432:shop:app'))[0]).toContain('line 4 has host d and 2 more →');
  });

  test.each<[string, string]>([
    ['a token stands where the host should', `${token}:5432:shop:app:x`],
    ['a password does for want of a port', `db:shop:${secret}:app:x`],
    ['a password stands where the user should', `db:5432:shop:${secret}:`],
    ['it is a connection string', `postgres://app:${secret}@db:5432/shop:x`],
  ])('is reported without the fields of another where %s', (_case, line) => {
    const [text] = check([line], by('replica:1:a:b')).filter((each) => each.includes('no-line'));
    expect(text).toMatch(/ line 1 has another \w+ and another /);
  });

  test('is reported with fields of bounded length only', () => {
    const [text] = check([`${'x'.repeat(5000)}:*:*:app:${token}`], by('db:5432:shop:app'));
    expect(text?.length).toBeLessThan(1000);
  });

  test('is that of the service', () => {
    const env = { PGUSER: 'app', PGHOST: 'db' };
    const texts = check([`db:*:*:app:${token}`], env, { PGHOST: 'replica' });
    expect(texts[1]).toMatch(/^✗ lookup-no-line .* matches replica:5432:app:app/);
  });

  test('is a static password although a token comes later', () => {
    const lines = [`db:*:shop:*:${secret}`, `db:*:*:app:${token}`];
    expect(check(lines, by('db:5432:shop:app'))).toEqual([
      expect.stringMatching(/^✗ lookup-static-password .*line 1 .* line 2 → Remove line 1/),
    ]);
  });
});

describe('a line that is never reached', () => {
  test('is wrong when it says something else', () => {
    expect(check([`*:*:*:app:${secret}`, `db:5432:*:app:${token}`])[0]).toMatch(
      /^✗ lookup-shadowed-line \(passfile\.overridden\): line 2 .*never used: line 1 /,
    );
  });

  test('does no harm when it says the same', () => {
    expect(check([`db:*:*:app:${token}`, `db:5432:*:app:${token}`]).join()).not.toContain('✗');
  });
});

describe('an entry of the settings', () => {
  test('has its line', () => {
    const env = { PGPASSD_ENTRIES: 'db:*:*:app\nreplica:*:*:app' };
    expect(check([`db:*:*:app:${token}`, `replica:*:*:app:${token}`], env)).toEqual([
      '✓ each entry has its line',
    ]);
  });

  test('has one with a password in the place of the token', () => {
    const env = { ...entra, PGPASSD_ENTRIES: 'db:*:*:app' };
    expect(check([`db:*:*:app:${secret}`], env)).toEqual([
      expect.stringMatching(/^✗ lookup-no-token .*line 1 .* matches db:\*:\*:app, has a password/),
    ]);
    expect(check([`db:*:shop:app:${secret}`, `db:*:*:app:${token}`], env)[0]).toMatch(/^✓/);
    // A command may give tokens of any kind.
    const commanded = { PGPASSD_TOKEN_COMMAND: 'get-token', PGPASSD_ENTRIES: 'db:*:*:app' };
    expect(check([`db:*:*:app:${secret}`], commanded)[0]).toMatch(/^✓/);
  });

  test('has none', () => {
    const env = { PGPASSD_ENTRIES: 'db:*:*:app\nreplica:*:*:app' };
    expect(check([`db:*:*:app:${token}`], env)).toEqual([
      expect.stringMatching(/^✗ passfile-without-entry .* no line for replica:\*:\*:app →/),
    ]);
  });
});

test('a huge file takes no time', () => {
  const lines = Array.from({ length: 100_000 }, (_, at) => `db:5432:shop${at}:app:${secret}`);
  expect(check(lines, { PGPASSD_ENTRIES: 'db:*:*:app', PGPASSD_FOR: 'db:5432:shop9:app' })).toEqual(
    [
      '– 100000 lines are too many to compare',
      expect.stringMatching(/^✓ db:5432:shop9:app gets line 10, /),
    ],
  );
});

test('of entries without a line a few are reported', () => {
  const entries = Array.from({ length: 9 }, (_, at) => `db${at}:*:*:app`).join('\n');
  const texts = check([`db:*:*:app:${token}`], { PGPASSD_ENTRIES: entries });
  expect(texts).toHaveLength(5);
  expect(texts[4]).toBe('– 5 more entries have no token either');
});

test('without a connection, it says how to name one', () => {
  expect(check([`db:*:*:app:${token}`])).toEqual([
    '– not examined: say how the client connects, with --for HOST:PORT:DATABASE:USER',
  ]);
});

test('without lines there is nothing to look at', () => {
  expect(check(['# empty'])).toEqual(['– not examined: libpq reads no lines there']);
});
