import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PLACEHOLDER, parseLine } from '../../src/passfile/format.ts';
import { layoutOf, templateLayout } from '../../src/passfile/layout.ts';

const template = [
  '# who may go where: one:two:three:four',
  '',
  'legacy:5432:*:report:hunter2',
  `writer:5432:*:my-app:${PLACEHOLDER}\r`,
  `reader:5432:*:my-app:${PLACEHOLDER}:and a remark`,
  `we\\:ird:*:d\\\\b:my\\:app:${PLACEHOLDER}`,
  `#writer:5432:*:nobody:${PLACEHOLDER}`,
  `almost:5432:*:me:${PLACEHOLDER}x`,
  'last:*:*:admin:s3\\:cret',
].join('\n');

describe('a template', () => {
  test('comes out with the managed passwords changed and nothing else', () => {
    const token = 'eyJ0.eyJh.c2ln';
    const rendered = templateLayout(Buffer.from(template))?.render(token).toString();
    const lines = template.split('\n');
    const expected = lines.map((line, index) =>
      [3, 4, 5].includes(index) ? line.replace(PLACEHOLDER, token) : line,
    );
    expect(rendered?.split('\n')).toEqual(expected);
  });

  test('keeps bytes that are not UTF-8, and a missing end of the last line', () => {
    const bytes = Buffer.concat([
      Buffer.from([0x23, 0xff, 0xfe, 0x0a]),
      Buffer.from(`h:*:*:u:${PLACEHOLDER}`),
    ]);
    const rendered = templateLayout(bytes)?.render('t');
    expect(rendered).toEqual(Buffer.concat([bytes.subarray(0, 4), Buffer.from('h:*:*:u:t')]));
  });

  test('escapes a token that holds colons and backslashes as libpq reads it', () => {
    const layout = templateLayout(Buffer.from(`h:*:*:u:${PLACEHOLDER}\n`));
    fc.assert(
      fc.property(fc.stringMatching(/^[!-~]+$/), (token) => {
        const rendered = layout?.render(token) ?? Buffer.alloc(0);
        expect(parseLine(rendered.toString().trimEnd())?.password).toBe(token);
        expect(layout?.passwordIn(rendered)).toBe(token);
      }),
    );
  });

  test('finds no password in a file that it would not make', () => {
    const layout = templateLayout(Buffer.from(template));
    const made = layout?.render('token').toString() ?? '';
    for (const other of ['', made.slice(1), `${made}\n`, made.replace('hunter2', 'hunter3')]) {
      expect(layout?.passwordIn(Buffer.from(other))).toBeUndefined();
    }
  });

  test('is read at once though hundreds of thousands of carriage returns stand in a line', () => {
    const bytes = Buffer.from(`${'\r'.repeat(300_000)}:*:*:u:${PLACEHOLDER}\r\n`);
    expect(templateLayout(bytes)?.render(PLACEHOLDER)).toEqual(bytes);
  });

  test.each(['', '# nothing', 'h:*:*:u:password\n', `h:*:u:${PLACEHOLDER}`])(
    'without a managed line is none: %j',
    (text) => {
      expect(templateLayout(Buffer.from(text))).toBeUndefined();
    },
  );
});

describe('a placeholder that was not written as it should be', () => {
  const refused = (text: string) => () => layoutOf(Buffer.from(text), '/template');

  test.each([
    '$' + '{TOKEN}',
    '$$' + '{token}',
    '$' + '{token }',
    '$(token)',
    '{{token}}',
    '$token',
  ])('%s is refused with the number of its line, also beside a right one', (password) => {
    const lines = ['# a:b:c:d:$TOKEN', `h:*:*:u:${PLACEHOLDER}`, `h:*:*:v:${password}\r`, ''];
    expect(refused(lines.join('\n'))).toThrow(
      `line 3 of --template /template has the password ${password}, which clients would send`,
    );
  });

  test('an empty password is explained by what replaces variables', () => {
    expect(refused('# h:*:*:u:\nh:*:*:u:\n')).toThrow(/that of line 2 is empty/);
  });

  test.each([
    `h:*:*:u:${PLACEHOLDER}\nother:*:*:v:\n`,
    `h:*:*:u:${PLACEHOLDER}\nother:*:*:v:token\n`,
    `h:*:*:u:${PLACEHOLDER}\nother:*:*:v:my-token}\n`,
  ])('other passwords are taken as they are: %j', (text) => {
    expect(layoutOf(Buffer.from(text), '/template').render('t').toString()).toBe(
      text.replace(PLACEHOLDER, 't'),
    );
  });
});
