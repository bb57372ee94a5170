import { access, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { steps } from '../src/check/finding.ts';
import { help } from '../src/cli.ts';
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
  await expect(current).toMatchFileSnapshot(fileURLToPath(readme));
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

test.each(['README.md', 'CONTRIBUTING.md'])(
  'the commands that %s names are there',
  async (page) => {
    const read = (path: string) => readFile(new URL(`../${path}`, import.meta.url), 'utf8');
    const text = await read(page);
    const { scripts } = JSON.parse(await read('package.json')) as { scripts: object };
    const named = [...text.matchAll(/npm (?:run ([\w:]+)|(test))\b/g)];
    expect(named.length).toBeGreaterThan(1);
    for (const [, script, test] of named) expect(Object.keys(scripts)).toContain(script ?? test);
    const commands = [...text.matchAll(/\bpgpassd (run|once|wait|check)\b/g)];
    for (const [, command] of commands) expect(help()).toContain(`  ${command} `);
    for (const [, path = ''] of text.matchAll(/\]\(([\w./-]+)\)/g)) {
      await expect(access(new URL(`../${path}`, import.meta.url)), path).resolves.toBeUndefined();
    }
  },
);
