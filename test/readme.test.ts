import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { settingsTable } from '../src/config/help.ts';

const readme = new URL('../README.md', import.meta.url);
const table = /(?<=<!-- settings: .* -->\n)[\s\S]*?(?=<!-- \/settings -->)/;

test("the README's table of settings is the options table", async () => {
  const text = await readFile(readme, 'utf8');
  const current = text.replace(table, () => `${settingsTable()}\n`);
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
