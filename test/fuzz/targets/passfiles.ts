import fc from 'fast-check';
import {
  formatLine,
  PLACEHOLDER,
  parseLine,
  passwordSpan,
  splitFields,
  unescapeText,
} from '../../../src/passfile/format.ts';
import { adoptToken, entriesLayout, templateLayout } from '../../../src/passfile/layout.ts';
import { oddJwt, segment } from '../odd-jwt.ts';
import { insist } from '../outcome.ts';
import { fuzz, type Texts } from '../target.ts';

const pieces = [':', '\\:', '\\\\', '*', '#', 'a', '5432', PLACEHOLDER, '\r\n', 'password'];
const samples = [
  'my-server:5432:*:my-app:password\n',
  `# a comment\nmy-server:5432:*:my-app:${PLACEHOLDER}\r\nother:*:*:her:se\\:cret\n`,
];
const lineOf = (texts: Texts) =>
  texts(samples, pieces).map((each) => each.replaceAll(/[\r\n\0]/g, ''));
const adoptable = `e30.${segment({ iat: 1, exp: 2 })}.c2ln`;
const entry = { host: 'my-server', port: '5432', database: null, user: 'my-app' };

export const passfiles = [
  fuzz('passfile line', lineOf, (each) => {
    insist(splitFields(each).join(':') === each, 'splitting lost something');
    const parsed = parseLine(each);
    const span = passwordSpan(each);
    insist((parsed === undefined) === (span === undefined), 'the two readings disagree');
    if (parsed === undefined || span === undefined) return;
    const spanned = unescapeText(each.slice(span.start, span.end));
    insist(spanned === parsed.password, 'the span is not that of the password');
    const again = parseLine(formatLine(parsed));
    insist(JSON.stringify(again) === JSON.stringify(parsed), 'written and read it is another line');
  }),

  fuzz(
    'passfile in place',
    (texts) =>
      fc.oneof(
        texts([`my-server:5432:*:my-app:${adoptable}\n`], pieces),
        oddJwt.map((token) => `my-server:5432:*:my-app:${token}\n`),
      ),
    (each) => {
      const layout = entriesLayout([entry]);
      const content = Buffer.from(each);
      const adopted = adoptToken(content, 0, layout, () => true);
      if (adopted === undefined) return;
      insist(layout.render(adopted.token.unwrap()).equals(content), 'adopted what is not ours');
      insist(Number.isFinite(adopted.expiresAtMs), 'adopted without an end');
      insist(Number.isFinite(adopted.issuedAtMs), 'adopted without a beginning');
    },
  ),

  fuzz(
    'template',
    (texts) =>
      fc.tuple(
        texts(samples, pieces).map((each) => Buffer.from(each, 'latin1')),
        fc.constantFrom('a-token', 'a\\b:c', ''),
      ),
    ([template, password]) => {
      const layout = templateLayout(template);
      if (layout === undefined) return;
      insist(layout.render(PLACEHOLDER).equals(template), 'something else than the token changed');
      const content = layout.render(password);
      insist(layout.passwordIn(content) === password, 'the password is not found again');
    },
  ),
];
