import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseFederatedToken } from '../../src/federated-token/federated-token.ts';
import { asSentences, describeEvent } from '../../src/observe/event-logger.ts';
import type { Level } from '../../src/observe/log.ts';
import type { RefreshEvent, TokenInPlace } from '../../src/refresh/events.ts';
import { PgpassdError } from '../../src/support/errors.ts';
import { unsignedJwt } from '../support-units/unsigned-jwt.ts';

type EventType = RefreshEvent['type'];
type Failed = Extract<RefreshEvent, { type: 'refresh.failed' }>;

const token: TokenInPlace = {
  expiresAtMs: Date.parse('2026-11-24T13:00:00Z'),
  remainingMs: 1_800_000,
  lifeMs: 3_600_000,
};

const refused = new PgpassdError(
  'entra.refused',
  'Entra refused the exchange',
  'Set the subject.',
  {
    details: {
      status: 401,
      aadsts: 'AADSTS700213',
      correlationId: '11112222-3333-4444-5555-666677778888',
      traceId: 'c3d4e5f6-0718-4a2b-9c3d-4e5f60718293',
      retryAfterMs: 90_000,
    },
  },
);

const failed: Failed = {
  type: 'refresh.failed',
  cause: 'due',
  error: refused,
  failures: 3,
  token,
  expiredForMs: undefined,
  retryInMs: 12_340,
};

const federated = {
  identity: { issuer: 'https://issuer.example/', subject: 'the subject', audience: ['api://one'] },
  expiresAtMs: Date.parse('2026-11-24T12:30:00Z'),
  refreshing: false,
};

const systemError = (code: string) => Object.assign(new Error('system'), { code });

/** One of each type: the compiler asks for those that are added. */
const lines: { readonly [T in EventType]: [RefreshEvent & { type: T }, Level, string, object] } = {
  'passfile.swept': [
    { type: 'passfile.swept', files: 2 },
    'info',
    'removed temporary files left by an interrupted write',
    { files: 2 },
  ],
  'passfile.adopted': [
    { type: 'passfile.adopted', token, refreshInMs: 600_000 },
    'info',
    'adopted the existing passfile; its token is valid for 30 min',
    {
      tokenExpiresAt: '2026-11-24T13:00:00.000Z',
      tokenValidForSeconds: 1800,
      nextRefreshInSeconds: 600,
    },
  ],
  'passfile.written': [{ type: 'passfile.written' }, 'info', 'wrote the passfile', {}],
  'passfile.unchanged': [
    { type: 'passfile.unchanged' },
    'info',
    'the passfile already holds this token',
    {},
  ],
  'refresh.started': [
    { type: 'refresh.started', cause: 'rotation' },
    'debug',
    'requesting a token',
    { cause: 'rotation' },
  ],
  'exchange.ended': [
    { type: 'exchange.ended', succeeded: true, tookMs: 1234 },
    'debug',
    'the token request succeeded',
    { succeeded: true, tookSeconds: 1.2 },
  ],
  'token.refreshed': [
    { type: 'token.refreshed', token, refreshInMs: 600_000, tookMs: 149 },
    'info',
    'obtained a token, valid for 30 min',
    {
      tokenExpiresAt: '2026-11-24T13:00:00.000Z',
      tokenValidForSeconds: 1800,
      nextRefreshInSeconds: 600,
      tookSeconds: 0.1,
    },
  ],
  'token.unchanged': [
    { type: 'token.unchanged', token, refreshInMs: 600_000 },
    'info',
    'the source returned no newer token; the current one is valid for 30 min',
    {
      tokenExpiresAt: '2026-11-24T13:00:00.000Z',
      tokenValidForSeconds: 1800,
      nextRefreshInSeconds: 600,
    },
  ],
  'refresh.failed': [
    failed,
    'warn',
    'Entra refused the exchange. Set the subject. The current token is valid for 30 min; next attempt in 12.3 s.',
    { failures: 3 },
  ],
  'refresh.recovered': [
    { type: 'refresh.recovered', failures: 3, lastedMs: 61_000 },
    'info',
    'recovered after 3 failed attempts in 61 s',
    { failures: 3, lastedSeconds: 61 },
  ],
  'federated-token.found': [
    { type: 'federated-token.found', ...federated },
    'info',
    'found the federated token',
    {
      issuer: 'https://issuer.example/',
      subject: 'the subject',
      audience: ['api://one'],
      federatedTokenExpiresAt: '2026-11-24T12:30:00.000Z',
      refreshing: false,
    },
  ],
  'federated-token.changed': [
    { type: 'federated-token.changed', ...federated, refreshing: true },
    'info',
    'the federated token changed',
    { subject: 'the subject', refreshing: true },
  ],
  'template.changed': [{ type: 'template.changed' }, 'info', 'the template changed', {}],
  'template.rejected': [
    {
      type: 'template.rejected',
      error: new PgpassdError('config.invalid', 'It is bad', 'Mend it.'),
    },
    'error',
    'It is bad. Mend it. The last valid template stays in use.',
    { reason: 'config.invalid', remedy: 'Mend it.' },
  ],
  'verification.kept': [
    { type: 'verification.kept' },
    'warn',
    'NODE_TLS_REJECT_UNAUTHORIZED=0 is ignored: certificates are always verified; remove it, and name your own CA with --ca-file',
    {},
  ],
  'watch.failed': [
    { type: 'watch.failed', what: 'template', error: systemError('EMFILE') },
    'warn',
    'cannot watch files for changes (EMFILE), so they are checked every 30 s; raise fs.inotify.max_user_instances on the node',
    { what: 'template' },
  ],
  'passfile.repaired': [
    { type: 'passfile.repaired', damage: 'mode', repairs: 2 },
    'warn',
    'the mode of the passfile was changed; restored it',
    { damage: 'mode', repairs: 2 },
  ],
  'passfile.kept': [
    { type: 'passfile.kept', keptAs: '/pgpass/pgpass.before-pgpassd' },
    'warn',
    'the existing passfile was not written by pgpassd; it is kept as /pgpass/pgpass.before-pgpassd',
    { keptAs: '/pgpass/pgpass.before-pgpassd' },
  ],
  'passfile.contested': [
    { type: 'passfile.contested', repairsInAMinute: 6 },
    'error',
    'another process keeps changing the passfile: 6 times within a minute. Find it',
    { repairsInAMinute: 6 },
  ],
  'passfile.repair-failed': [
    {
      type: 'passfile.repair-failed',
      error: new PgpassdError('passfile.no-space', 'Full', 'Raise it.'),
    },
    'error',
    'Full. Raise it.',
    { reason: 'passfile.no-space', remedy: 'Raise it.' },
  ],
  'token-command.said': [
    { type: 'token-command.said', text: 'logged in' },
    'debug',
    'logged in',
    {},
  ],
};

test.each(Object.entries(lines))(
  '%s is a line of the log',
  (type, [event, level, message, fields]) => {
    const line = describeEvent(event);
    expect(line.event).toBe(type);
    expect(line.level).toBe(level);
    expect(line.message).toContain(message);
    expect(line.fields).toMatchObject(fields);
  },
);

describe('a failure', () => {
  test('names its reason, the remedy, the ids, and the next try in fields of their own', () => {
    expect(describeEvent(failed).fields).toMatchObject({
      reason: 'entra.refused',
      failures: 3,
      remedy: 'Set the subject.',
      status: 401,
      aadsts: 'AADSTS700213',
      correlationId: '11112222-3333-4444-5555-666677778888',
      traceId: 'c3d4e5f6-0718-4a2b-9c3d-4e5f60718293',
      tokenExpiresAt: '2026-11-24T13:00:00.000Z',
      tokenValidForSeconds: 1800,
      nextTryInSeconds: 12.3,
    });
  });

  test.each<[string, TokenInPlace | undefined, Level]>([
    ['there never was a token', undefined, 'error'],
    ['a quarter of its life is left', { ...token, remainingMs: 900_000 }, 'error'],
    ['a little more than a quarter is left', { ...token, remainingMs: 900_001 }, 'warn'],
    ['the token is new', { ...token, remainingMs: 3_600_000 }, 'warn'],
    ['the token is about to expire', { ...token, remainingMs: 1 }, 'error'],
  ])('is as loud as it is serious: %s', (_case, inPlace, level) => {
    expect(describeEvent({ ...failed, token: inPlace }).level).toBe(level);
  });

  test('is a warning exactly while more than a quarter of the life is left', () => {
    const ms = fc.integer({ min: 1, max: 86_400_000 });
    fc.assert(
      fc.property(ms, ms, (lifeMs, remainingMs) => {
        const { level } = describeEvent({ ...failed, token: { ...token, lifeMs, remainingMs } });
        expect(level).toBe(4 * remainingMs > lifeMs ? 'warn' : 'error');
      }),
    );
  });

  test('before the first token says that there is none', () => {
    const line = describeEvent({ ...failed, token: undefined });
    expect(line.message).toContain(
      'There is no token yet, so clients cannot connect; next attempt',
    );
    expect(line.fields).toMatchObject({ tokenValidForSeconds: 0 });
    expect(line.fields).not.toHaveProperty('tokenExpiresAt');
  });

  test('with an expired token in place is fatal for clients, and says since when', () => {
    const line = describeEvent({ ...failed, token: undefined, expiredForMs: 35_000 });
    expect(line.level).toBe('fatal');
    expect(line.message).toContain(
      'The current token expired 35 s ago, so clients cannot connect; next attempt in 12.3 s.',
    );
    expect(line.fields).toMatchObject({ tokenValidForSeconds: 0 });
  });

  test.each([
    [119_940, '119.9 s'],
    [120_000, '2 min'],
    [7_199_000, '120 min'],
    [7_200_000, '2 h'],
    [86_399_000, '24 h'],
    [45_000_000, '12.5 h'],
  ])('says %i ms as a person does: %s', (remainingMs, words) => {
    const line = describeEvent({ ...failed, token: { ...token, remainingMs } });
    expect(line.message).toContain(`The current token is valid for ${words};`);
  });

  test.each([
    ['it failed', 'it failed. Look.'],
    ["it failed: Entra's own words.", "it failed: Entra's own words. Look."],
  ])('reads as sentences: %s', (message, expected) => {
    expect(asSentences(new PgpassdError('internal', message, 'Look.'))).toBe(expected);
  });
});

test('one failure before a recovery is logged as one', () => {
  const recovered = { type: 'refresh.recovered', failures: 1, lastedMs: 2_000 } as const;
  expect(describeEvent(recovered).message).toBe('recovered after a failed attempt in 2 s');
});

test.each([
  ['EMFILE', 'fs.inotify.max_user_instances'],
  ['ENFILE', 'fs.file-max'],
  ['ENOSPC', 'fs.inotify.max_user_watches'],
  ['EOPNOTSUPP', 'inotify'],
])('watching that fails with %s names %s', (code, setting) => {
  const event = { type: 'watch.failed', what: 'passfile', error: systemError(code) } as const;
  expect(describeEvent(event).message).toContain(setting);
});

test('a directory that was moved aside is logged with its new name', () => {
  const event = { type: 'passfile.repaired', damage: 'not-a-file', repairs: 1 } as const;
  const line = describeEvent({ ...event, displacedTo: '/pgpass/pgpass.displaced-12345678' });
  expect(line.fields).toMatchObject({ displacedTo: '/pgpass/pgpass.displaced-12345678' });
});

test('a token that expired before it could be published is none', () => {
  const line = describeEvent({ ...lines['token.refreshed'][0], token: undefined });
  expect(line.message).toBe('obtained a token, already expired');
});

describe('a federated token', () => {
  test('without an expiry has none in the log', () => {
    const line = describeEvent({ ...lines['federated-token.found'][0], expiresAtMs: undefined });
    expect(line.fields).not.toHaveProperty('federatedTokenExpiresAt');
  });

  test('that counts its expiry in nanoseconds does not end the daemon', () => {
    const { identity, expiresAtMs } = parseFederatedToken(
      unsignedJwt({ exp: 1_764_000_000_000_000_000 }),
      '/token',
    );
    const event = { type: 'federated-token.found', identity, refreshing: false } as const;
    expect(describeEvent({ ...event, expiresAtMs }).event).toBe('federated-token.found');
  });
});
