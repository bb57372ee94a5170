import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { renderJson, renderReport } from '../../src/check/report.ts';
import { type Finding, ok, skipped, steps } from '../../src/check/step.ts';
import { broken, healthy } from './sample-findings.ts';

const plain = { colour: false, columns: 80 };

function failing(found: string, remedy: string): Finding {
  return { step: 'login', mark: 'wrong', found, remedy, cause: 'any', code: 'server.refused' };
}

describe('the report on 80 columns', () => {
  test('of a set-up that works', () => {
    expect(renderReport(healthy, plain)).toMatchInlineSnapshot(`
      "✓ settings          1 entry; client 22222222-2222-4222-8222-222222222222 in
                          tenant 11111111-1111-4111-8111-111111111111
      ✓ federated token   /var/run/secrets/azure/tokens/azure-identity-token, good for
                          48 min
      ✓                   issuer https://oidc.example.com/
                          11111111-1111-4111-8111-111111111111/
                          33333333-3333-4333-8333-333333333333/
      ✓ clocks            the authority's agrees within a second
      ✓ exchange          Entra gave a token, valid for 24 h
      ✓ passfile          /pgpass/pgpass: mode 0600, owner 1000, 1 line
      – daemon            not asked: --http-address is off
      ✓ login             my-server.postgres.database.azure.com:5432 lets my-app in
                          over TLS

      No problems found; skipped: 1.
      "
    `);
  });

  test('of one that does not', () => {
    expect(renderReport(broken, plain)).toMatchInlineSnapshot(`
      "✓ clocks            the authority's agrees within a second

      ✗ exchange          Entra refused the exchange (400): AADSTS700213: No matching
                          federated identity record found for presented assertion
                          subject 'system:serviceaccount:shop:api'
                        → Set the subject of the federated credential to
                          system:serviceaccount:shop:api, case included.

      – access token      not examined: there is none

      ✗ passfile          /pgpass/pgpass has mode 0644: libpq ignores it
                        → Mount the directory, not a copy of the file.

      ✗                   /pgpass/pgpass belongs to user 0
                        → Run both containers as the same user.

      ✓ overrides         nothing else sets a password

      ✗ login             my-server.postgres.database.azure.com:5432 knows no role
                          my-app for this identity
                        → In the database postgres, as its Entra administrator, run:

          SELECT * FROM pgaadauth_create_principal_with_oid(
           'my-app', '44444444-4444-4444-8444-444444444444', 'service', false, false);

                          It is there already? Compare its object id:

          SELECT * FROM pgaadauth_list_principals(false);

      4 problems found; the first may cause the others.
      Start with the exchange: Set the subject of the federated credential to
      system:serviceaccount:shop:api, case included.
      "
    `);
  });
});

describe('the end of the report', () => {
  test.each<[string, readonly Finding[], string]>([
    ['nothing is wrong', [ok('clocks', 'agree')], 'No problems found.'],
    [
      'something was not looked at',
      [ok('clocks', 'agree'), skipped('login', 'no --connect'), skipped('network', '--offline')],
      'No problems found; skipped: 2.',
    ],
    [
      'one thing is wrong',
      [ok('clocks', 'agree'), failing('refused', 'Open the firewall.')],
      '1 problem found.\nStart with the login: Open the firewall.',
    ],
    [
      'there is SQL to run',
      [failing('no role', 'As the administrator, run:\n\n    SELECT 1;')],
      '1 problem found.\nStart with the login: As the administrator, run (see above).',
    ],
    [
      'the advice is long',
      [failing('refused', `${'word '.repeat(40)}end.`)],
      [
        '1 problem found.',
        'Start with the login: word word word word word word word word word word word',
        'word word word word word word word word word word word word word word word word',
        'word word word word word word word word word word word word word end.',
      ].join('\n'),
    ],
  ])('when %s', (_, findings, end) => {
    expect(renderReport(findings, plain).endsWith(`\n\n${end}\n`)).toBe(true);
  });
});

describe('what a report is made of', () => {
  test('SQL stays as it is, whatever the width', () => {
    const sql = `    SELECT * FROM pgaadauth_create_principal_with_oid('my-app', '${'0'.repeat(36)}', 'service', false, false);`;
    const report = renderReport([failing('no role', `Run:\n\n${sql}\n\nThen wait.`)], {
      colour: false,
      columns: 60,
    });
    expect(report).toContain(`\n${sql}\n`);
    expect(report).toContain('\n\n                    Then wait.\n');
  });

  test('SQL has blank lines around it, also where the remedy has none', () => {
    const remedy = 'Run:\n  SELECT 1;\n  SELECT 2;\nThen wait.\n\n  SELECT 3;';
    const report = renderReport([failing('no role', remedy)], plain);
    const blocks = report.split('\n\n').map((block) => block.trim());
    expect(blocks.slice(1, -1)).toEqual(['SELECT 1;\n  SELECT 2;', 'Then wait.', 'SELECT 3;']);
  });

  test.each([
    [
      'with room on a line of its own stays whole',
      `${'w'.repeat(30)} https://example.com/${'a'.repeat(40)}`,
      ['w'.repeat(30), `https://example.com/${'a'.repeat(40)}`],
    ],
    [
      'without is cut at a slash',
      `https://example.com/${'a'.repeat(30)}/${'b'.repeat(40)}`,
      [`https://example.com/${'a'.repeat(30)}/`, 'b'.repeat(40)],
    ],
    [
      'without begins where there is room for as much as its host',
      `issuer https://example.com/${'a'.repeat(50)}`,
      ['issuer https://example.com/', 'a'.repeat(50)],
    ],
    [
      'without begins on a line of its own where there is not',
      `${'w'.repeat(45)} https://example.com/${'a'.repeat(50)}`,
      ['w'.repeat(45), 'https://example.com/', 'a'.repeat(50)],
    ],
    [
      'without a slash is cut where the line ends',
      `of https://${'a'.repeat(60)}`,
      ['of', `https://${'a'.repeat(52)}`, 'a'.repeat(8)],
    ],
  ])('a URL %s', (_, found, lines) => {
    const [block = ''] = renderReport([ok('settings', found)], plain).split('\n\n');
    expect(block.split('\n').map((line) => line.slice(20))).toEqual(lines);
  });

  test.each([
    ['as wide as its column', 'x'.repeat(60), 1],
    ['wider by one', 'x'.repeat(61), 2],
    ['with a fellow, each character two units of UTF-16', `${'𝒙'.repeat(29)} ${'𝒙'.repeat(30)}`, 1],
  ])('a word %s', (_, found, lines) => {
    const [block = ''] = renderReport([ok('clocks', found)], plain).split('\n\n');
    expect(block.split('\n')).toHaveLength(lines);
  });

  test('SQL may be indented by tabs', () => {
    const report = renderReport([failing('no role', 'Run:\n\tSELECT\t1;')], plain);
    expect(report).toContain('\n\n    SELECT    1;\n\n');
  });

  test('what others wrote cannot steer the terminal', () => {
    const report = renderReport(
      [failing('a\u{1b}[2Jb\rc\u{202e}d\u{9b}', '\u{1b}]0;e\u{7}')],
      plain,
    );
    expect(report).toContain('a\u{FFFD}[2Jb\u{FFFD}c\u{FFFD}d\u{FFFD}\n');
    expect(report).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u);
  });

  test('colours are the marks, the cause and its end, and change no text', () => {
    const report = renderReport(broken, { ...plain, colour: true });
    expect(stripVTControlCharacters(report)).toBe(renderReport(broken, plain));
    expect(report).toContain('\u{1b}[31m✗\u{1b}[39m \u{1b}[1mexchange');
    expect(report).toContain('\u{1b}[31m✗\u{1b}[39m passfile');
    expect(report).toContain('\u{1b}[32m✓\u{1b}[39m clocks');
    expect(report).toContain('\u{1b}[2m–\u{1b}[22m \u{1b}[2maccess token');
  });
});

describe('whatever the findings', () => {
  const word = fc.string({ unit: fc.constantFrom(...'ab/:.é𝒙✓→–'), minLength: 1, maxLength: 90 });
  const prose = fc.array(word, { minLength: 1, maxLength: 12 }).map((words) => words.join(' '));
  const verbatim = word.map((text) => `    ${text}`);
  const remedy = fc
    .tuple(prose, fc.array(fc.oneof(prose, verbatim), { maxLength: 3 }))
    .map(([first, others]) => [first, ...others].join('\n'));
  const step = fc.constantFrom(...steps);
  const finding: fc.Arbitrary<Finding> = fc.oneof(
    fc.record({ step, mark: fc.constantFrom('ok', 'skipped'), found: prose }),
    fc.record({
      step,
      mark: fc.constant('wrong'),
      found: prose,
      remedy,
      cause: word,
      code: fc.constant('server.refused'),
    }),
  );
  const findings = fc
    .array(finding, { minLength: 1, maxLength: 8 })
    .map((all) => all.toSorted((a, b) => steps.indexOf(a.step) - steps.indexOf(b.step)));
  const columns = fc.integer({ min: 60, max: 100 });

  const withoutBlanks = (text: string) => text.replaceAll(/\s/gu, '');

  test('no line is wider than asked for, other than those to be copied', () => {
    fc.assert(
      fc.property(findings, columns, (all, width) => {
        const tooWide = renderReport(all, { colour: false, columns: width })
          .split('\n')
          .filter((line) => [...line].length > width);
        const verbatims = all.flatMap((each) =>
          each.mark === 'wrong' ? each.remedy.split('\n') : [],
        );
        for (const line of tooWide) expect(verbatims).toContain(line);
      }),
    );
  });

  test('no text is lost', () => {
    fc.assert(
      fc.property(findings, columns, (all, width) => {
        const report = withoutBlanks(renderReport(all, { colour: false, columns: width }));
        const marks = { ok: '✓', wrong: '✗', skipped: '–' };
        const expected = all
          .flatMap((each, index) => [
            marks[each.mark],
            each.step === all[index - 1]?.step ? '' : each.step,
            each.found,
            each.mark === 'wrong' ? `→${each.remedy}` : '',
          ])
          .join('');
        expect(report.startsWith(withoutBlanks(expected))).toBe(true);
      }),
    );
  });

  test('the JSON says the same', () => {
    fc.assert(
      fc.property(findings, (all) => {
        const json = renderJson(all);
        const cause = all.find(({ mark }) => mark === 'wrong') ?? null;
        expect(JSON.parse(json)).toEqual({ ok: cause === null, cause, findings: all });
        expect(json.endsWith('\n}\n')).toBe(true);
      }),
    );
  });
});
