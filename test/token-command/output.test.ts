import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ANY, formatLine, parseLine } from '../../src/passfile/format.ts';
import { PgpassdError } from '../../src/support/errors.ts';
import { interpretOutput } from '../../src/token-command/output.ts';
import { anyCharacter } from '../support/any-character.ts';
import { findLeaks, PIECE_LENGTH } from '../support/leak-check.ts';
import { unsignedJwt } from '../support-units/unsigned-jwt.ts';
import { failureOf } from './failure-of.ts';
import { opaqueToken, rdsToken } from './tokens.ts';

const nowMs = Date.parse('2026-11-24T12:00:00Z');
const nowSeconds = nowMs / 1000;

function read(output: unknown, fallbackLifetimeSeconds?: number): [string, number] {
  const stdout = typeof output === 'string' ? output : JSON.stringify(output, null, 2);
  const issued = interpretOutput(stdout, {
    askedAt: { wallMs: nowMs, monotonicMs: 0 },
    fallbackLifetimeMs: fallbackLifetimeSeconds && fallbackLifetimeSeconds * 1000,
  });
  return [issued.token.unwrap(), issued.life.delayMs / 1000];
}

const jwt = unsignedJwt({ sub: 'app', exp: nowSeconds + 3000 });
const jwtWithoutExp = unsignedJwt({ sub: 'app' });

describe('a bare token', () => {
  test.each([jwt, `${jwt}\n`, `\n  ${jwt}\r\n\n`, `\ufeff${jwt}`])(
    'that is a JWT tells its own life',
    (output) => {
      expect(read(output)).toEqual([jwt, 3000]);
      expect(read(output, 900)).toEqual([jwt, 3000]);
    },
  );

  test.each([rdsToken, opaqueToken, jwtWithoutExp, unsignedJwt({ exp: 'soon' })])(
    'of another kind takes the life it is given: %s',
    async (token) => {
      expect(read(`${token}\n`, 900)).toEqual([token, 900]);
      const error = await failureOf(() => read(`${token}\n`), [token]);
      expect(error.code).toBe('token-command.bad-output');
      expect(error.remedy).toContain('--token-lifetime');
    },
  );
});

describe('JSON', () => {
  const token = opaqueToken;
  const inAnHour = nowSeconds + 3600;

  test.each<[string, object]>([
    ['as OAuth has it', { access_token: token, expires_in: 3600, token_type: 'Bearer' }],
    ['with a number as text', { access_token: token, expires_in: '3600' }],
    ['in camel case', { accessToken: token, expiresOn: inAnHour }],
    ['with the plainest names', { token, expires_on: inAnHour }],
    ['with epoch seconds as text', { token, expires_on: `${inAnHour}` }],
    ['with epoch seconds in a third place', { token, expirationTimestamp: inAnHour }],
    ['with RFC 3339 in UTC', { token, expirationTimestamp: '2026-11-24T13:00:00Z' }],
    ['with RFC 3339 of a zone', { token, expiresOn: '2026-11-24T18:30:00+05:30' }],
    ['with RFC 3339 in fractions', { token, expires_on: '2026-11-24T13:00:00.000000000Z' }],
    ['with RFC 3339 in small letters', { token, expires_on: '2026-11-24t13:00:00z' }],
    ['with RFC 3339 and a blank', { token, expires_on: '2026-11-24 13:00:00+00:00' }],
    ['with nulls for what is not there', { access_token: null, token, expires_in: 3600 }],
    [
      'of a credential plugin',
      {
        kind: 'ExecCredential',
        apiVersion: 'client.authentication.k8s.io/v1beta1',
        spec: {},
        status: { expirationTimestamp: '2026-11-24T13:00:00Z', token },
      },
    ],
  ])('%s gives the token and its life', (_case, output) => {
    expect(read(output)).toEqual([token, 3600]);
    expect(read(output, 60)).toEqual([token, 3600]);
  });

  const az = {
    accessToken: jwt,
    expiresOn: '2026-11-24 12:00:00.000000',
    expires_on: nowSeconds + 2400,
    subscription: '00000000-0000-0000-0000-000000000000',
    tenant: '00000000-0000-0000-0000-000000000000',
    tokenType: 'Bearer',
  };

  test.each([
    ['as az prints it', az],
    ['in another order', Object.fromEntries(Object.entries(az).toReversed())],
  ])('%s is read by its epoch seconds, not by its local time', (_case, output) => {
    expect(read(output)).toEqual([jwt, 2400]);
  });

  test.each<[string, object, number]>([
    ['its JWT', { token: jwt, expires_in: 36_000 }, 3000],
    ['expires_on', { token, expires_in: 36_000, expires_on: nowSeconds + 20 }, 20],
    ['expires_in', { token: jwt, expires_in: 60, expires_on: nowSeconds + 86_400 }, 60],
    ['the earliest of several', { token, expires_on: inAnHour, expiresOn: nowSeconds + 60 }, 60],
  ])(
    'that says several things of its life lives for the least of them: %s',
    (_case, output, life) => {
      expect(read(output)[1]).toBe(life);
    },
  );

  test('whose clock differs from ours by up to five minutes is believed in what does not depend on it', () => {
    expect(read({ token: jwt, expires_in: 3300 })).toEqual([jwt, 3300]);
    expect(read({ token: jwt, expires_in: 3301 })).toEqual([jwt, 3000]);
    const justExpired = unsignedJwt({ exp: nowSeconds - 200 });
    expect(read({ token: justExpired, expires_in: 90 })).toEqual([justExpired, 90]);
  });

  test('as az before 2.54 printed it is read by the JWT', () => {
    expect(read({ ...az, expires_on: undefined })).toEqual([jwt, 3000]);
  });

  test('with only a local time is refused, also when a life is given', async () => {
    const output = { accessToken: token, expiresOn: az.expiresOn };
    for (const fallback of [undefined, 900]) {
      const error = await failureOf(() => read(output, fallback), [token]);
      expect(error.message).toContain('nor in RFC 3339 with a zone');
    }
  });

  test('without a life takes that of its JWT, or the one it is given', async () => {
    expect(read({ token: jwt })).toEqual([jwt, 3000]);
    expect(read({ status: { token } }, 900)).toEqual([token, 900]);
    const error = await failureOf(() => read({ token }), [token]);
    expect(error.remedy).toContain('--token-lifetime');
  });
});

describe('output that is not fit for use', () => {
  const token = opaqueToken;
  const good = { token, expires_in: 3600 };

  test.each<[string, unknown, string]>([
    ['nothing', '', 'it is empty'],
    ['blanks', ' \n\t\n', 'it is empty'],
    ['two lines', `${token}\n${token}`, 'more than one line'],
    ['two lines of an old Mac', `${token}\r${token}`, 'more than one line'],
    ['a sentence', 'Please sign in first.', 'printable ASCII'],
    ['a token beyond ASCII', 'höder', 'printable ASCII'],
    ['a token with a NUL', `${token}\0`, 'printable ASCII'],
    ['a token with a broken character', `${token}\ufffd`, 'printable ASCII'],
    ['a list', [good], 'neither a bare token nor a JSON object'],
    ['a JSON string', JSON.stringify(token), 'neither a bare token nor a JSON object'],
    ['null', 'null\n', 'neither a bare token nor a JSON object'],
    ['half of it', JSON.stringify(good).slice(0, -5), 'neither a bare token nor a JSON object'],
    ['no token', { expires_in: 3600 }, 'no token'],
    ['an empty token', { ...good, token: '' }, 'printable ASCII'],
    ['a token that is an object', { ...good, token: {} }, 'printable ASCII'],
    ['a token with a line break', { ...good, token: `${token}\n` }, 'printable ASCII'],
    ['a token that PostgreSQL refuses', 'x'.repeat(65_531), '64 KiB'],
    ['a life of zero', { ...good, expires_in: 0 }, 'expired already'],
    ['a negative life', { ...good, expires_in: -3600 }, 'expired already'],
    ['a life in the past', { token, expires_on: '2026-11-24T11:00:00Z' }, 'expired already'],
    ['a JWT of the past', unsignedJwt({ exp: nowSeconds - 1 }), 'expired already'],
    [
      'a JWT of the past that claims an hour',
      { token: unsignedJwt({ exp: nowSeconds - 900 }), expires_in: 3600 },
      'expired already',
    ],
    ['a life of a millisecond', { ...good, expires_in: 0.001 }, 'less than a second'],
    [
      'a JWT that begins in an hour',
      unsignedJwt({ nbf: nowSeconds + 3600, exp: nowSeconds + 7200 }),
      'not valid yet',
    ],
    ['a life of a year and more', { ...good, expires_in: 367 * 86_400 }, 'more than a year'],
    ['a time in milliseconds', { token, expires_on: nowMs + 3_600_000 }, 'more than a year'],
    ['a life in words', { ...good, expires_in: 'an hour' }, 'neither in seconds nor'],
    ['a life that is a list', { ...good, expires_in: [3600] }, 'neither in seconds nor'],
    ['a life without end', '{"token":"t","expires_in":1e999}', 'neither in seconds nor'],
    ['a date alone', { token, expires_on: '2026-11-25' }, 'neither in seconds nor'],
    ['a 32nd', { token, expires_on: '2026-11-32T12:00:00Z' }, 'neither in seconds nor'],
  ])('is refused: %s', async (_case, output, what) => {
    const error = await failureOf(() => read(output, 900), [token]);
    expect(error.code).toBe('token-command.bad-output');
    expect(error.message).toContain(what);
    expect(error.remedy).toContain('--token-command');
  });

  test('is refused: a given life of more than a year', async () => {
    expect((await failureOf(() => read(token, 1e9))).message).toContain('more than a year');
  });
});

test('the longest token that PostgreSQL takes is taken', () => {
  const [token] = read('x'.repeat(65_530), 900);
  expect(token).toHaveLength(65_530);
});

test('a token of RDS comes back from the passfile', () => {
  const [password] = read(`${rdsToken}\n`, 900);
  const entry = { host: 'db.example', port: '5432', database: ANY, user: 'app' };
  expect(parseLine(formatLine({ entry, password }))).toEqual({ entry, password: rdsToken });
});

describe('whatever a command prints', () => {
  const names = [
    ...['access_token', 'accessToken', 'token', 'status', 'expires_in'],
    ...['expires_on', 'expiresOn', 'expirationTimestamp'],
  ];
  const value = fc.oneof(
    fc.string({ minLength: 16, unit: 'binary-ascii' }),
    fc.integer().map(String),
    fc.double(),
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
    fc.jsonValue(),
    fc.constant(jwt),
    fc.constant(opaqueToken),
  );
  const object = fc.dictionary(fc.constantFrom(...names), value);
  const output = fc.oneof(
    fc.string({ unit: anyCharacter }),
    fc.string({ minLength: 16 }),
    fc.json(),
    object.map((each) => JSON.stringify(each)),
    object.map((status) => JSON.stringify({ status })),
    fc.constantFrom(jwt, jwtWithoutExp, opaqueToken),
  );

  test('it is a token that fits the file, or an error without a piece of the output', () => {
    fc.assert(
      fc.property(output, fc.option(fc.integer(), { nil: undefined }), (stdout, lifetime) => {
        try {
          const [token, life] = read(stdout, lifetime);
          expect(token).toMatch(/^[\x21-\x7e]+$/);
          expect(life).toBeGreaterThan(0);
          expect(life).toBeLessThanOrEqual(366 * 86_400);
        } catch (error) {
          if (!(error instanceof PgpassdError)) throw error;
          // A shorter output shares a word with any sentence.
          const secrets = [stdout].filter(({ length }) => length >= PIECE_LENGTH);
          expect(findLeaks(`${error.message} ${error.remedy}`, secrets)).toEqual([]);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
