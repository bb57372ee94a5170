import { describe, expect, test } from 'vitest';
import { azureAudience, judgeClaims, passwordJudge, tokenJudge } from './judge.ts';

const oid = '11111111-2222-3333-4444-555555555555';
const expiresAtS = 1_800_000_000;
const good = { aud: azureAudience, exp: expiresAtS, oid };
const question = {
  claims: good,
  audience: azureAudience,
  user: 'app',
  oid,
  nowMs: expiresAtS * 1_000 - 1,
};

describe('an access token', () => {
  test('is good until the millisecond at which it expires', () => {
    expect(judgeClaims(question)).toBe('ok');
    expect(judgeClaims({ ...question, nowMs: expiresAtS * 1_000 })).toEqual({
      sqlstate: '28P01',
      message: 'The access token has expired. Please acquire a new token and retry',
    });
  });

  const wrongAudience =
    'The access token does not have a valid audience claim. ' +
    'Please acquire a new token for the resource "https://ossrdbms-aad.database.windows.net"';
  const invalidFormat =
    'The access token has invalid format. Please ensure the token is passed exactly as returned ' +
    'by the authentication endpoint and retry.';
  const wrongRole = 'password authentication failed for user "app"';

  test.each([
    ['a foreign signature', { claims: undefined }, invalidFormat],
    ['no expiry', { claims: { ...good, exp: undefined } }, invalidFormat],
    ['an expiry that is no number', { claims: { ...good, exp: '1800000000' } }, invalidFormat],
    [
      'another audience',
      { claims: { ...good, aud: 'https://graph.microsoft.com' } },
      wrongAudience,
    ],
    ['several audiences', { claims: { ...good, aud: [azureAudience] } }, wrongAudience],
    ['no audience', { claims: { ...good, aud: undefined } }, wrongAudience],
    ['the object id of another principal', { claims: { ...good, oid: 'x' } }, wrongRole],
    ['no object id', { claims: { ...good, oid: undefined } }, wrongRole],
    ['a role that is not registered', { oid: undefined }, wrongRole],
    [
      'neither object id nor role',
      { claims: { ...good, oid: undefined }, oid: undefined },
      wrongRole,
    ],
  ])('with %s is refused', (_, change, message) => {
    expect(judgeClaims({ ...question, ...change })).toEqual({ sqlstate: '28P01', message });
  });
});

describe('the token judge', () => {
  const roles = new Map([['app', oid]]);
  const attempt = { user: 'app', database: 'postgres', password: 'token' };

  test('hands the password to the verifier as it came', async () => {
    const seen: string[] = [];
    const verifyAccessToken = async (token: string) => {
      seen.push(token);
      return good;
    };
    const judge = tokenJudge({ verifyAccessToken, roles, now: () => 0 });
    expect(await judge(attempt)).toBe('ok');
    expect(seen).toEqual(['token']);
  });

  test('takes a verifier that throws for a foreign signature', async () => {
    const verifyAccessToken = () => Promise.reject(new Error('signature verification failed'));
    const judge = tokenJudge({ verifyAccessToken, roles, now: () => 0 });
    expect(await judge(attempt)).toMatchObject({ message: expect.stringContaining('format') });
  });

  test('knows a role from the moment it is registered', async () => {
    const registered = new Map<string, string>();
    const verifyAccessToken = async () => good;
    const judge = tokenJudge({ verifyAccessToken, roles: registered, now: () => 0 });
    expect(await judge(attempt)).not.toBe('ok');
    registered.set('app', oid);
    expect(await judge(attempt)).toBe('ok');
  });
});

test('the password judge compares with the one password of the role', async () => {
  const judge = passwordJudge(new Map([['app', 'a:b\\c']]));
  const attempt = { user: 'app', database: 'postgres', password: 'a:b\\c' };
  expect(await judge(attempt)).toBe('ok');
  expect(await judge({ ...attempt, password: 'a' })).toMatchObject({ sqlstate: '28P01' });
  expect(await judge({ ...attempt, user: 'other' })).toMatchObject({ sqlstate: '28P01' });
});
