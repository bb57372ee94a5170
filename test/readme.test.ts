import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { steps } from '../src/check/finding.ts';
import { settingsTable } from '../src/config/help.ts';
import { causesTable } from './check/causes-table.ts';

const readme = new URL('../README.md', import.meta.url);

/** What stands between the comments that begin and end a part that is written by this test. */
const partOf = (name: string) =>
  new RegExp(`(?<=<!-- ${name}: .* -->\\n)[\\s\\S]*?(?=<!-- /${name} -->)`);

test("the README's tables are the options table and what check can find", async () => {
  const text = await readFile(readme, 'utf8');
  const tables = { settings: settingsTable(), findings: await causesTable(steps) };
  let current = text;
  for (const [name, table] of Object.entries(tables)) {
    expect(text).toMatch(partOf(name));
    current = current.replace(partOf(name), () => `\n${table}\n\n`);
  }
  await expect(current).toMatchFileSnapshot(readme.pathname);
});

test('the README explains every event of the log', async () => {
  const sources = ['../src/refresh/events.ts', '../src/commands/run.ts'];
  const texts = await Promise.all(
    sources.map((source) => readFile(new URL(source, import.meta.url), 'utf8')),
  );
  const declared = [...texts.join('\n').matchAll(/(?:type|event): ((?:'[\w.-]+'(?: \| )?)+)/g)];
  const events = declared.flatMap(([, names = '']) => [...names.matchAll(/'([^']+)'/g)]);
  const text = await readFile(readme, 'utf8');
  const explained = [...text.matchAll(/^\| ((?:`[\w.-]+`(?:, )?)+) \|/gm)].join('\n');
  expect(events.length).toBeGreaterThan(10);
  for (const [, event] of events) expect(explained).toContain(`\`${event}\``);
});
