import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { steps } from '../../src/check/step.ts';
import { help } from '../../src/cli.ts';
import { settingsTable } from '../../src/config/help.ts';
import { causesTable } from '../check/causes-table.ts';
import { anchorsOf, filesEndingIn, linksOf, readText, userPages } from './markdown.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const pages = filesEndingIn('.md');

/** A link that leads nowhere, or nothing. */
function objectionTo({ path, anchor }: { path: string; anchor: string }): string[] {
  if (!existsSync(join(root, path))) return [`no ${path}`];
  if (anchor === '' || !path.endsWith('.md')) return [];
  return anchorsOf(readText(path)).has(anchor) ? [] : [`no heading #${anchor} in ${path}`];
}

/** What `check` can find, with a heading for each of its steps to link to. */
function findings(): string {
  const [head, rule, ...rows] = causesTable(steps).split('\n');
  const lines = rows.flatMap((row) => {
    const [, step] = /^\| \*\*(.+)\*\* \| \|$/.exec(row) ?? [];
    if (step === undefined) return [row];
    return ['', `## ${step.charAt(0).toUpperCase()}${step.slice(1)}`, '', head, rule];
  });
  return lines.join('\n').trim();
}

describe('links', () => {
  test.each(pages)('of %s lead somewhere', (page) => {
    expect(linksOf(page, readText(page)).flatMap(objectionTo)).toEqual([]);
  });

  test('that lead nowhere are noticed', () => {
    const links = (text: string) => linksOf('docs/azure.md', text).flatMap(objectionTo);
    expect(links('[a](../README.md#first-select) [b](#the-role) [`c`](clients.md#tls)')).toEqual(
      [],
    );
    expect(links('[a](no.md)')).toEqual(['no docs/no.md']);
    expect(links('[a](#no)')).toEqual(['no heading #no in docs/azure.md']);
    expect(links('[`a`](clients.md#no)')).toEqual(['no heading #no in docs/clients.md']);
    expect(links('`[a](no.md)` and https://example.com [b](https://example.com/#no)')).toEqual([]);
  });

  test('lead from the README to every page of docs', () => {
    const reached = new Set<string>(['README.md']);
    for (const page of reached) {
      for (const { path } of linksOf(page, readText(page))) {
        if (userPages.includes(path)) reached.add(path);
      }
    }
    expect([...reached].sort()).toEqual([...userPages].sort());
  });

  test('in comments and messages name pages and headings that there are', () => {
    const mentioned = filesEndingIn('.ts', '.yaml', '.yml', '.json', 'Dockerfile')
      .filter((path) => !path.startsWith('test/documents/'))
      .flatMap((path) => [
        ...readText(path).matchAll(/(?<![\w/])(docs\/[\w-]+\.md)(?:#([\w-]+))?/g),
      ])
      .map(([, path = '', anchor = '']) => ({ path, anchor }));
    expect(mentioned.length).toBeGreaterThan(3);
    expect(mentioned.flatMap(objectionTo)).toEqual([]);
  });
});

test('the README is read in five minutes', () => {
  expect(Buffer.byteLength(readText('README.md'))).toBeLessThanOrEqual(16 * 1024);
});

describe('what a test writes is current (-u renews it)', () => {
  /** What stands between the comments that begin and end a part that is written by this test. */
  const partOf = (name: string) =>
    new RegExp(`(?<=<!-- ${name}: .* -->\\n)[\\s\\S]*?(?=<!-- /${name} -->)`);

  test.each([
    { page: 'docs/settings.md', name: 'settings', content: async () => settingsTable() },
    { page: 'docs/findings.md', name: 'findings', content: findings },
  ])('$page', async ({ page, name, content }) => {
    const text = readText(page);
    expect(text).toMatch(partOf(name));
    const part = await content();
    const current = text.replace(partOf(name), () => `\n${part}\n\n`);
    await expect(current).toMatchFileSnapshot(join(root, page));
  });
});

test('every event of the log is explained', () => {
  const sources = ['src/refresh/events.ts', 'src/commands/run.ts'];
  const declared = [
    ...sources
      .map(readText)
      .join('\n')
      .matchAll(/(?:type|event): ((?:'[\w.-]+'(?: \| )?)+)/g),
  ];
  const events = declared.flatMap(([, names = '']) => [...names.matchAll(/'([^']+)'/g)]);
  const explained = [
    ...readText('docs/operations.md').matchAll(/^\| ((?:`[\w.-]+`(?:, )?)+) \|/gm),
  ].join('\n');
  expect(events.length).toBeGreaterThan(10);
  for (const [, event] of events) expect(explained).toContain(`\`${event}\``);
});

test.each(pages)('%s is written in plain words', (page) => {
  const text = readText(page).replaceAll(/^<!-- [\s\S]*?^<!-- \/.* -->/gm, '');
  const odd =
    /\b(?:somebody|nobody|whoever|anew|besides|ails|mend(?:s|ed)?|is told|are told|comes to its end)\b/gi;
  expect(text.match(odd) ?? []).toEqual([]);
});

test.each(['CONTRIBUTING.md', ...userPages])('%s names only commands that there are', (page) => {
  const text = readText(page);
  for (const [, script, test] of text.matchAll(/npm (?:run ([\w:]+)|(test))\b/g)) {
    expect(Object.keys(packageJson.scripts)).toContain(script ?? test);
  }
  for (const [, command] of text.matchAll(/\bpgpassd (run|once|wait|check)\b/g)) {
    expect(help()).toContain(`  ${command} `);
  }
});
