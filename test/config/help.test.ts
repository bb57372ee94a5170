import { describe, expect, test } from 'vitest';
import { settingsHelp, settingsTable } from '../../src/config/help.ts';
import { options } from '../../src/config/options.ts';
import { everySample } from './samples.ts';

/** The paragraph of `--help` on one setting. */
function paragraphOf(flag: string): string {
  const paragraphs = settingsHelp().split(/\n(?= {2}--)/);
  const [paragraph = '', ...others] = paragraphs.filter((each) =>
    new RegExp(`^ *${flag}(?: |\n)`).test(each),
  );
  expect(others).toEqual([]);
  return paragraph;
}

/** The cells of the table's row on one setting; a bar within a cell is escaped. */
function rowOf(flag: string): string[] {
  const rows = settingsTable()
    .split('\n')
    .filter((row) => new RegExp(`^\\| \`${flag}[ \`]`).test(row));
  expect(rows).toHaveLength(1);
  return (rows[0] ?? '').split(/(?<!\\)\|/).map((cell) => cell.trim());
}

describe.each(everySample)('%s', (name, { flag, variable, also, otherwise }) => {
  const { help, placeholder = '', defaultText } = options[name];

  test('is in --help with all that there is to know', () => {
    const paragraph = paragraphOf(flag);
    for (const each of [placeholder, help, variable, also, defaultText]) {
      expect(paragraph).toContain(each ?? '');
    }
    expect(/required( without --token-command)?;/.test(paragraph)).toBe(otherwise === 'required');
    expect(paragraph).not.toMatch(/undefined|`/);
  });

  test('has a row of its own in the table, with the same', () => {
    const [before, usage, variables, otherwiseCell, meaning, after, ...others] = rowOf(flag);
    expect([before, after, others]).toEqual(['', '', []]);
    expect(usage?.replaceAll('\\|', '|')).toContain(`\`${[flag, placeholder].join(' ').trim()}\``);
    expect(variables).toBe(
      [variable, also]
        .filter(Boolean)
        .map((each) => `\`${each}\``)
        .join(', '),
    );
    expect(/^required( without `--token-command`)?$/.test(otherwiseCell ?? '')).toBe(
      otherwise === 'required',
    );
    expect(otherwiseCell).toContain(defaultText ?? '');
    expect(meaning?.replace(/^(?:(?:run|once|wait|check)(?:, |: ))+/, '')).toBe(help);
  });
});

test('settings that can be given again say so', () => {
  expect(paragraphOf('--entry')).toContain('repeatable');
  expect(rowOf('--entry')[1]).toContain('repeatable');
  expect(paragraphOf('--mode')).not.toContain('repeatable');
});

test('the table has a head and one row a setting', () => {
  const [head, rule, ...rows] = settingsTable().split('\n');
  expect(head).toBe('| flag | variables | default | meaning |');
  expect(rule).toBe('|---|---|---|---|');
  expect(rows).toHaveLength(Object.keys(options).length);
});

test('each command shows what is for it alone first, and then what it shares, by group', () => {
  const titlesOf = (text: string) => [...text.matchAll(/^(\w.*):$/gm)].map(([, title]) => title);
  expect(titlesOf(settingsHelp())).toEqual([
    'Common',
    'Identity',
    'Passfile',
    'Timing',
    'Observing',
    'Settings of check',
  ]);
  expect(titlesOf(settingsHelp('wait'))).toEqual(['Settings of wait', 'Common']);
  const flagsOf = (text = '') => [...text.matchAll(/^ {2}(--[\w-]+)/gm)].map(([, flag]) => flag);
  const [own] = settingsHelp('wait').split('\n\n');
  expect(flagsOf(own)).toEqual(['--timeout', '--min-validity']);
  const [ofRun] = settingsHelp('run').split('\n\n');
  expect(flagsOf(ofRun)).toEqual(['--on-exit', '--http-address']);
});

test('a setting that only some commands use says so, but not in their own help', () => {
  expect(settingsHelp('run')).toContain('\n      once, wait: give up after this long\n');
  expect(settingsHelp('wait')).toContain('\n      give up after this long\n');
  expect(rowOf('--timeout')[4]).toBe('once, wait: give up after this long');
});
