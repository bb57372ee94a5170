import { describe, expect, test } from 'vitest';
import { ANY, type Entry, PLACEHOLDER } from '../../src/passfile/format.ts';
import type { FileFacts, FoundPassfile } from '../../src/passfile/inspect.ts';
import { parseLines } from '../../src/passfile/lookup.ts';
import { explainUnready } from '../../src/passfile/messages.ts';
import { whyUnready } from '../../src/passfile/unready.ts';
import type { Failure } from '../../src/support/errors.ts';
import { unsignedJwt } from '../support-units/unsigned-jwt.ts';

const nowMs = Date.parse('2026-03-01T12:00:00Z');
const file: FileFacts = {
  mode: 0o600,
  uid: 4711,
  gid: 4711,
  sizeBytes: 0,
  mtimeMs: nowMs,
  symlink: false,
};
const shop: Entry = { host: 'server', port: '5432', database: 'shop', user: 'app' };
const anyShop: Entry = { ...shop, port: ANY, database: ANY };

const inPlace = (...lines: string[]): FoundPassfile => ({
  kind: 'lines',
  file,
  lines: parseLines(lines.join('\n')),
});

/** A token with so many seconds left. */
const lasting = (seconds: number) => unsignedJwt({ exp: nowMs / 1000 + seconds });

interface Circumstances {
  readonly entries?: readonly Entry[];
  readonly uid?: number | undefined;
}

function verdict(found: FoundPassfile, circumstances: Circumstances = {}): Failure | undefined {
  const { entries = [shop], uid } = { uid: 1000, ...circumstances };
  const minValidityMs = 60_000;
  const unready = whyUnready(found, { entries, minValidityMs }, nowMs);
  return unready && explainUnready(unready, { path: '/run/pgpass', uid, nowMs, minValidityMs });
}

describe('a passfile is ready', () => {
  test.each<[string, FoundPassfile, Circumstances]>([
    ['its token lasts', inPlace(`server:5432:*:app:${lasting(3600)}`), {}],
    ['its token lasts just long enough', inPlace(`server:*:*:app:${lasting(60)}`), {}],
    ['its token does not state its life', inPlace(`server:*:*:app:${unsignedJwt({})}`), {}],
    ['its password is a static one', inPlace('server:*:*:app:hunter2'), {}],
    [
      'a line that is not waited for has expired',
      inPlace('other:*:*:app:x', `server:*:*:*:${lasting(60)}`, `another:*:*:*:${lasting(-60)}`),
      {},
    ],
    [
      'what has expired is out of reach',
      inPlace(`server:5432:*:app:${lasting(60)}`, `*:5432:shop:app:${lasting(-60)}`),
      {},
    ],
    [
      'each entry has its line',
      inPlace('*:*:*:app:x', '*:*:*:admin:y'),
      {
        entries: [shop, { ...shop, user: 'admin' }],
      },
    ],
    [
      'the database is not known, and one has a line',
      inPlace('server:5432:shop:app:x'),
      {
        entries: [anyShop],
      },
    ],
    [
      'every line is good, and no entry is given',
      inPlace('# two tokens', '', `server:*:*:app:${lasting(60)}`, `other:*:*:app:${lasting(61)}`),
      { entries: [] },
    ],
  ])('when %s', (_case, found, circumstances) => {
    expect(verdict(found, circumstances)).toBeUndefined();
  });
});

describe('a passfile is not ready', () => {
  test.each<[string, FoundPassfile, Circumstances, string, RegExp, RegExp]>([
    [
      'it is not there',
      { kind: 'missing', symlink: false },
      {},
      'passfile.missing',
      /^the passfile \/run\/pgpass does not exist$/,
      /same volume/,
    ],
    [
      'it is a link to nowhere',
      { kind: 'missing', symlink: true },
      {},
      'passfile.missing',
      /a link to a file that does not exist/,
      /not to a link/,
    ],
    [
      'it is no file',
      { kind: 'not-a-file', file },
      {},
      'passfile.ignored',
      /not a regular file, so libpq ignores it/,
      /without a subPath/,
    ],
    [
      'it has a group bit',
      { kind: 'loose', file: { ...file, mode: 0o640 } },
      {},
      'passfile.ignored',
      /has mode 0640, so libpq ignores it/,
      /emptyDir.* 0600/,
    ],
    [
      'it belongs to another user',
      { kind: 'unreadable', code: 'EACCES', file },
      {},
      'passfile.ignored',
      /cannot be read by uid 1000 \(EACCES\); it belongs to uid 4711$/,
      /runAsUser.* --owner 1000\.$/,
    ],
    [
      'the way there is closed',
      { kind: 'unreadable', code: 'EACCES', file: undefined },
      { uid: undefined },
      'passfile.ignored',
      /cannot be read by this user \(EACCES\)$/,
      /--owner\.$/,
    ],
    [
      'its disk is broken',
      { kind: 'unreadable', code: 'EIO', file },
      {},
      'passfile.ignored',
      /\(EIO\)/,
      /volume/,
    ],
    [
      'it is something huge',
      { kind: 'too-large', file },
      {},
      'passfile.malformed',
      /too large/,
      /PGPASSFILE/,
    ],
    ['it is empty', inPlace(), {}, 'passfile.malformed', /no line host:port:/, /complete file/],
    [
      'it has no line of five fields',
      inPlace('# a comment', 'a:b:c:d'),
      { entries: [] },
      'passfile.malformed',
      /no line host:port:/,
      /complete file/,
    ],
    [
      'it is the template',
      inPlace('#', `server:*:*:app:${PLACEHOLDER}`),
      {},
      'passfile.malformed',
      /^line 2 of .* has the password \$\{token\}: the file is the template$/,
      /not to its --template/,
    ],
    [
      'its token is cut in the middle',
      inPlace(`server:*:*:app:${lasting(60).slice(0, 40)}`),
      {},
      'passfile.malformed',
      /^the password in line 1 of .* begins like a token, but is incomplete$/,
      /what else writes/,
    ],
    [
      'a line has no password',
      inPlace('server:*:*:app:'),
      {},
      'passfile.malformed',
      /^line 1 of .* has no password$/,
      /first line that matches/,
    ],
    [
      'its token expired',
      inPlace('#', `server:*:*:app:${lasting(-300)}`),
      {},
      'passfile.expired',
      /^the token in line 2 of .* expired 5 min ago$/,
      /its log/,
    ],
    [
      'its token expires this second',
      inPlace(`server:*:*:app:${lasting(0)}`),
      {},
      'passfile.expired',
      /expired 0 s ago$/,
      /its log/,
    ],
    [
      'its token is about to expire',
      inPlace(`server:*:*:app:${lasting(59)}`),
      {},
      'passfile.expired',
      /has only 59 s left, but --min-validity requires 60 s$/,
      /lower --min-validity/,
    ],
    [
      'it has lines for others only',
      inPlace('SERVER:5432:shop:app:x', 'server:5432:shop'),
      {},
      'passfile.no-line',
      /has no line for server:5432:shop:app$/,
      /PGPASSD_ENTRIES/,
    ],
    [
      'one of two entries has no line',
      inPlace('server:*:*:app:x'),
      { entries: [shop, { ...anyShop, user: 'a:b' }] },
      'passfile.no-line',
      /has no line for server:\*:\*:a\\:b$/,
      /spelled/,
    ],
    [
      'one of the lines that may be meant has expired',
      inPlace(`server:5432:old:app:${lasting(-7200)}`, `server:*:*:app:${lasting(60)}`),
      { entries: [anyShop] },
      'passfile.expired',
      /line 1 .* 2 h ago/,
      /log/,
    ],
    [
      'one of all lines has expired',
      inPlace('server:*:*:app:x', `other:*:*:app:${lasting(-60)}`),
      { entries: [] },
      'passfile.expired',
      /line 2 .* 60 s ago/,
      /log/,
    ],
  ])('when %s', (_case, found, circumstances, code, message, remedy) => {
    expect(verdict(found, circumstances)).toMatchObject({
      code,
      found: expect.stringMatching(message),
      remedy: expect.stringMatching(remedy),
    });
  });

  test('for the same reason as long as only time passes', () => {
    const found = inPlace(`server:*:*:app:${lasting(30)}`);
    const wanted = { entries: [shop], minValidityMs: 60_000 };
    const reason = whyUnready(found, wanted, nowMs);
    expect(whyUnready(found, wanted, nowMs + 20_000)).toEqual(reason);
    expect(whyUnready(found, wanted, nowMs + 30_000)).not.toEqual(reason);
  });
});
