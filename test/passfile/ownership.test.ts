import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatEntry, formatLine, PLACEHOLDER } from '../../src/passfile/format.ts';
import { entriesLayout, type PassfileLayout, templateLayout } from '../../src/passfile/layout.ts';
import { firstForeignLine } from '../../src/passfile/ownership.ts';
import { LONGEST_TOKEN } from '../../src/support/access-token.ts';
import { finish } from '../../src/support/clock.ts';
import { unsignedJwt } from '../support-units/unsigned-jwt.ts';
import { entry } from './arbitrary-fields.ts';

const jwt = unsignedJwt({ exp: 1_700_000_000 });
const ours = entriesLayout([
  { host: 'server', port: '5432', database: null, user: 'app' },
  { host: 'größe', port: '5432', database: 'a:b', user: 'app' },
]);

function layoutOf(template: string): PassfileLayout {
  const layout = templateLayout(Buffer.from(template));
  if (layout === undefined) throw new Error('no managed line');
  return layout;
}

const foreignLine = (content: string | Buffer, layout = ours) =>
  finish(firstForeignLine(Buffer.from(content), layout));

describe('a file may be replaced', () => {
  test.each<[string, string]>([
    ['when it is empty', ''],
    ['when its lines are blank', '\n \t\r\n\n'],
    ['when its lines are for our entries, whatever the password', 'server:5432:*:app:hunter2\n'],
    ['when a line is cut', 'server:5432:*:app:eyJhb'],
    ['when a line is spelled in another way', '\\server:5432:*:ap\\p:x\r\n'],
    ['when its fields have escapes and more than ASCII', 'größe:5432:a\\:b:app:x'],
    ['when its password is a JWT, whatever it is for', `other.example.com:*:*:me:${jwt}\n`],
  ])('%s', (_case, content) => {
    expect(foreignLine(content)).toBeUndefined();
  });

  test('when we have written it, whatever the entries and the token', () => {
    const passwords = fc.oneof(fc.constant(jwt), fc.stringMatching(/^[!-~]{1,40}$/));
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 5 }), passwords, (entries, token) => {
        const layout = entriesLayout(entries);
        expect(finish(firstForeignLine(layout.render(token), layout))).toBeUndefined();
      }),
      { numRuns: 2000 },
    );
  });

  test('when we have written it for other entries, with a JWT', () => {
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 5 }), (entries) => {
        const content = entriesLayout(entries).render(jwt);
        expect(finish(firstForeignLine(content, ours))).toBeUndefined();
      }),
      { numRuns: 2000 },
    );
  });

  test('when its other lines are those of the template, byte for byte', () => {
    const template = `# kept\r\nother:*:*:me:hunter2\nserver:5432:*:app:${PLACEHOLDER}\n\n`;
    const layout = layoutOf(template);
    expect(foreignLine(layout.render('opaque'), layout)).toBeUndefined();
    const bytes = Buffer.concat([Buffer.from([0xff, 0xfe, 0x0a]), Buffer.from(template)]);
    const odd = templateLayout(bytes);
    expect(odd && finish(firstForeignLine(odd.render('opaque'), odd))).toBeUndefined();
  });
});

describe('a file is not ours', () => {
  test.each<[string, number, string | Buffer]>([
    ['with a password for another server', 1, 'prod.example.com:5432:*:boss:secret\n'],
    ['with one beside our lines', 2, `server:5432:*:app:${jwt}\nprod:5432:*:boss:secret\n`],
    ['with another user of our server', 1, 'server:5432:*:boss:secret\n'],
    ['with a wildcard that is wider than our entry', 1, '*:5432:*:app:secret\n'],
    ['with a comment', 1, '# ask Ann for the password\n'],
    ['with something that is no line', 3, '\n\nnot a passfile\n'],
    ['with a token alone, as kubelet projects it', 1, jwt],
    ['with a certificate', 1, '-----BEGIN CERTIFICATE-----\n'],
    ['with a NUL', 1, 'server:5432:*:app:x\0y\n'],
    ['with bytes that are no UTF-8', 1, Buffer.from([0xff, 0, 0xfe, 10])],
    ['with a token that is cut, for another user', 1, 'other:5432:*:me:eyJhbGciOi\n'],
    [
      'with what looks like a token and is too long for one',
      1,
      `o:*:*:me:a.${'e'.repeat(LONGEST_TOKEN)}.c`,
    ],
  ])('%s', (_case, number, content) => {
    expect(foreignLine(content)).toBe(number);
  });

  test('with any line that is neither for an entry nor holds a token', () => {
    fc.assert(
      fc.property(entry, fc.stringMatching(/^[!-~]{1,40}$/), (other, password) => {
        fc.pre(!['server:5432:*:app', 'größe:5432:a\\:b:app'].includes(formatEntry(other)));
        expect(foreignLine(`${formatLine({ entry: other, password })}\n`)).toBe(1);
      }),
      { numRuns: 2000 },
    );
  });

  test('with a static line that the template has no more', () => {
    const layout = layoutOf(`server:5432:*:app:${PLACEHOLDER}\n`);
    expect(foreignLine('server:5432:*:app:x\nother:*:*:me:hunter2\n', layout)).toBe(2);
  });
});
