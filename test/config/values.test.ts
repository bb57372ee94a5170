import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  parseAuthorityHost,
  parseClientId,
  parseDurationMs,
  parseFraction,
  parseMode,
  parseOwner,
  parseSecureUrl,
  parseSwitch,
  parseTenantId,
  parseWord,
  ValueError,
} from '../../src/config/values.ts';

/** That `text` is refused, and that it is said what is expected instead. */
function expectRefused(parse: (text: string) => unknown, text: string, hint: RegExp): void {
  expect(() => parse(text)).toThrow(ValueError);
  expect(() => parse(text)).toThrow(hint);
}

describe('a client id', () => {
  test.each(['0d5c0d3c-5d5b-4b6d-8d2d-6d4a0c1f6a11', 'my-app.example_1'])('%s is one', (text) => {
    expect(parseClientId(text)).toBe(text);
  });

  test.each([
    ['0d5c0d3c-5d5b-4b6d-8d2d-6d4a0c1f6a11\n', /without the line break/],
    ['"0d5c0d3c-5d5b-4b6d-8d2d-6d4a0c1f6a11"', /without the quote/],
    [' 0d5c0d3c-5d5b-4b6d-8d2d-6d4a0c1f6a11', /without the space/],
    ['0d5c0d3c;', /without the character that no ID has/],
    [
      '/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/my-app',
      /not its resource ID/,
    ],
  ])('%j is refused', (text, hint) => {
    expectRefused(parseClientId, text, hint);
  });
});

describe('a duration', () => {
  test.each([
    ['1s', 1_000],
    ['90s', 90_000],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['1h30m', 5_400_000],
    ['1h0m1s', 3_601_000],
    ['1h1s', 3_601_000],
    ['007m', 420_000],
  ])('%s is %i ms', (text, ms) => {
    expect(parseDurationMs(text)).toBe(ms);
  });

  test.each([
    '',
    '60',
    '0s',
    '0h0m',
    '-5s',
    '+5s',
    '1.5h',
    '500ms',
    '30m1h',
    '1m1m',
    '1 m',
    ' 1m',
    '1m ',
    '1M',
    '1d',
    'soon',
    `${'9'.repeat(20)}h`,
    `${'9'.repeat(400)}s`,
  ])('%j is none', (text) => {
    expectRefused(parseDurationMs, text, /such as 90s, 5m or 1h30m/);
  });

  test('is the sum of its hours, minutes and seconds', () => {
    const count = fc.integer({ min: 1, max: 9_999 });
    fc.assert(
      fc.property(count, count, count, (hours, minutes, seconds) => {
        expect(parseDurationMs(`${hours}h${minutes}m${seconds}s`)).toBe(
          ((hours * 60 + minutes) * 60 + seconds) * 1_000,
        );
      }),
    );
  });
});

describe('a fraction', () => {
  test.each([
    ['0.5', 0.5],
    ['.5', 0.5],
    ['0.001', 0.001],
    ['0.99', 0.99],
  ])('%s is %d', (text, fraction) => {
    expect(parseFraction(text)).toBe(fraction);
  });

  test.each([
    '',
    '0',
    '0.0',
    '1',
    '1.0',
    '2',
    '-0.5',
    '+0.5',
    '50%',
    '0,5',
    '5e-1',
    ' 0.5',
    '0.',
    'half',
    'NaN',
  ])('%j is none', (text) => {
    expectRefused(parseFraction, text, /between 0 and 1/);
  });

  test('is none when a text is hundreds of thousands of digits, which hold nothing up', () => {
    expectRefused(parseFraction, `${'1'.repeat(300_000)}x`, /between 0 and 1/);
  });
});

describe('a mode', () => {
  test.each([
    ['0600', 0o600],
    ['600', 0o600],
    ['0400', 0o400],
    ['400', 0o400],
  ])('%s lets the owner alone read', (text, mode) => {
    expect(parseMode(text)).toBe(mode);
  });

  test.each(['0640', '0604', '0660', '0644', '0601', '0610', '0777', '0440'])(
    'with a group or world bit is refused: %s',
    (text) => {
      expectRefused(parseMode, text, /libpq ignores/);
    },
  );

  test.each(['', '0', '0200', '0000', '4600', '0o600', '384', '0700', 'rw-------', ' 0600'])(
    'that is none of the two is refused: %j',
    (text) => {
      expectRefused(parseMode, text, /0600 or 0400/);
    },
  );
});

describe('an owner', () => {
  test.each([
    ['1000', { uid: 1000, gid: undefined }],
    ['1000:2000', { uid: 1000, gid: 2000 }],
    ['0:0', { uid: 0, gid: 0 }],
    ['4294967294:4294967294', { uid: 4_294_967_294, gid: 4_294_967_294 }],
  ])('is numeric: %s', (text, owner) => {
    expect(parseOwner(text)).toEqual(owner);
  });

  test.each([
    '',
    'postgres',
    '1000:',
    ':1000',
    '1000:users',
    '-1',
    '1000:-1',
    '1:2:3',
    '1.5',
    ' 1',
    '0x10',
  ])('is nothing else: %j', (text) => {
    expectRefused(parseOwner, text, /numeric/);
  });

  // 2^32-1 is chown's word for "leave it as it is".
  test.each(['4294967295', '4294967296', '9999999999', '0:4294967296'])(
    'is an id that a Linux user can have: not %s',
    (text) => {
      expect(() => parseOwner(text)).toThrow(ValueError);
    },
  );
});

describe('a tenant', () => {
  test.each([
    '8f3c1a52-6d0e-4b7a-9c25-41e07fd3b690',
    'contoso.onmicrosoft.com',
    'Contoso.com',
    'common',
  ])('is a GUID or a domain: %s', (text) => {
    expect(parseTenantId(text)).toBe(text);
  });

  test.each([
    '',
    '.',
    '..',
    '../common',
    'a/b',
    'a?b',
    'a#b',
    'a b',
    'a..b',
    'a%2fb',
    '$' + '{TENANT}',
    'a\n',
    'ä',
  ])('is nothing that would change the path: %j', (text) => {
    expectRefused(parseTenantId, text, /GUID/);
  });
});

describe('a URL of the authority', () => {
  test.each([
    ['https://login.microsoftonline.com', 'https://login.microsoftonline.com/'],
    ['https://login.microsoftonline.com/', 'https://login.microsoftonline.com/'],
    ['http://localhost:8080/x', 'http://localhost:8080/x'],
    ['http://127.0.0.1:8080', 'http://127.0.0.1:8080/'],
    ['http://127.255.0.3', 'http://127.255.0.3/'],
    ['http://[::1]:8080', 'http://[::1]:8080/'],
    ['http://127.1', 'http://127.0.0.1/'],
  ])('may be %s', (text, href) => {
    expect(parseSecureUrl(text).href).toBe(href);
    expect(parseAuthorityHost(text).href).toBe(href);
  });

  test.each([
    ['http://login.microsoftonline.com/', /https/],
    ['http://127.0.0.1.example.com/', /https/],
    ['http://localhost.example.com/', /https/],
    ['http://127.0.0.1@example.com/', /user and password/],
    ['http://10.0.0.1/', /https/],
    ['http://128.0.0.1/', /https/],
    ['http://[::2]/', /https/],
    ['ftp://localhost/', /https/],
    ['file:///etc/passwd', /https/],
    ['localhost:8080', /https/],
    ['login.microsoftonline.com', /URL such as/],
    ['', /URL such as/],
    ['https://', /URL such as/],
    ['https://me:hunter2@login.example/', /user and password/],
    ['https://login.example/#top', /fragment/],
  ])('may not be %s', (text, hint) => {
    expectRefused(parseSecureUrl, text, hint);
    expectRefused(parseAuthorityHost, text, hint);
    expect(() => parseSecureUrl(text)).not.toThrow(/hunter2/);
  });

  test('may have a query when it is whole, but not when a path is to follow', () => {
    const text = 'https://login.example/token?dc=EUS';
    expect(parseSecureUrl(text).href).toBe(text);
    expectRefused(parseAuthorityHost, text, /query/);
  });
});

describe('a word', () => {
  test('is one of those given', () => {
    expect(parseWord('keep', 'remove')('remove')).toBe('remove');
  });

  test.each(['', 'Keep', 'keep ', 'delete'])('is no other: %j', (text) => {
    expectRefused(parseWord('keep', 'remove'), text, /keep, remove/);
  });

  test('switches on and off', () => {
    expect([parseSwitch('true'), parseSwitch('false')]).toEqual([true, false]);
    for (const text of ['', '1', 'yes', 'True']) expectRefused(parseSwitch, text, /true, false/);
  });
});
