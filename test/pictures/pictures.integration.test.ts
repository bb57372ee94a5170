import { readFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { type DrawnPicture, type DrawnText, drawInBrowser, noBrowser } from './browser.ts';
import { drawDashboard } from './dashboard.ts';
import { BAR_PX, CELL_PX, drawTerminal, PADDING_PX } from './terminal.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const committed = ['check-healthy.svg', 'check-broken.svg', 'dashboard.svg'] as const;

describe('docs/pictures', () => {
  test('shows the dashboard as it is; `npm run pictures` renews it', () => {
    expect(read('docs/pictures/dashboard.svg')).toBe(
      drawDashboard(read('manifests/monitoring/dashboard.json')),
    );
  });

  test.each(committed)('%s loads nothing and runs nothing', (name) => {
    expect(read(`docs/pictures/${name}`)).not.toMatch(
      /<(?:script|foreignObject|style|image|use)\b|href|url\(|\bon\w+=/i,
    );
  });
});

test.each([
  ['a movement of the cursor', '\u{1b}[2J'],
  ['a style that is not drawn', '\u{1b}[4m'],
])('a terminal with %s is refused, since its picture would be wrong', (_, text) => {
  expect(() => drawTerminal({ title: '', text, columns: 80 })).toThrow('not a style');
});

/** What a terminal can show: blanks in front, gaps, signs of other fonts, markup, styles, a long line. */
const sample = [
  '\u{1b}[32m✓\u{1b}[39m settings      one    & <two>',
  '  \u{1b}[2m–\u{1b}[22m \u{1b}[1mbold text\u{1b}[22m, "plain"',
  '',
  'é → a line longer than the terminal is wide',
].join('\n');
const COLUMNS = 36;

describe.skipIf(noBrowser)('in a browser (Chromium or Google Chrome must be installed)', () => {
  let drawn: ReadonlyMap<string, DrawnPicture>;

  beforeAll(async () => {
    const svgs = new Map<string, string>([
      ['sample', drawTerminal({ title: 'A sample', text: sample, columns: COLUMNS })],
      ...committed.map((name): [string, string] => [name, read(`docs/pictures/${name}`)]),
    ]);
    const pictures = await drawInBrowser([...svgs.values()]);
    drawn = new Map([...svgs.keys()].map((name, index) => [name, pictures[index] as DrawnPicture]));
  });

  const picture = (name: string): DrawnPicture => drawn.get(name) as DrawnPicture;

  test('a terminal shows each character in its own cell', () => {
    const lines = stripVTControlCharacters(sample).split('\n');
    expect(screenOf(picture('sample'))).toEqual(
      lines.flatMap((line) => line.match(new RegExp(`.{1,${COLUMNS}}`, 'g')) ?? ['']).map(trimEnd),
    );
  });

  test.each([
    ['check-healthy.svg', ['✓ settings', '✓ exchange', '✓ login']],
    ['check-broken.svg', ['✓ settings', '✗ exchange', '– login']],
  ])('%s shows its steps in columns', (name, steps) => {
    const screen = screenOf(picture(name));
    const texts = screen.find((line) => line.startsWith('✓ settings'))?.search(/(?<= {2})\S/) ?? 0;
    for (const step of steps) {
      const line = screen.find((each) => each.startsWith(step));
      expect(line, step).toMatch(new RegExp(`^${step} {${texts - step.length}}\\S`));
    }
  });

  test.each(['sample', 'check-healthy.svg', 'check-broken.svg'])(
    '%s has no stretched text',
    (name) => {
      for (const { text, stretch } of picture(name).texts) {
        expect(stretch, text).toBeGreaterThan(0.97);
        expect(stretch, text).toBeLessThan(1.03);
      }
    },
  );

  test.each(['sample', ...committed])('%s has its texts inside, and none over another', (name) => {
    const { size, texts } = picture(name);
    for (const each of texts) {
      expect(each.x, each.text).toBeGreaterThan(0);
      expect(each.x + each.width, each.text).toBeLessThan(size.width);
      expect(each.y + each.height, each.text).toBeLessThan(size.height);
    }
    const overlapping = texts.flatMap((one, index) =>
      texts
        .slice(index + 1)
        .filter((other) => overlap(one, other))
        .map((other) => [one.text, other.text]),
    );
    expect(overlapping).toEqual([]);
  });

  test('the dashboard shows values in words and colours, as Grafana does', () => {
    const { texts } = picture('dashboard.svg');
    const below = (title: string): DrawnText | undefined => {
      const heading = texts.find(({ text }) => text === title);
      return texts.find(
        ({ x, y }) => heading && x > heading.x && x < heading.x + 144 && y > heading.y + 10,
      );
    };
    expect(below('No token')).toMatchObject({ text: '0', fill: 'rgb(115, 191, 105)' });
    expect(below('Pods')).toMatchObject({ text: '3', fill: 'rgb(87, 148, 242)' });
    expect(below('Least time left')?.text).toMatch(/^[\d.]+ hours$/);
    for (const { text } of texts)
      expect(text).not.toMatch(/percentunit|dateTimeAsIso|^(short|none|s|bytes)$/);
  });
});

/** The lines of a terminal, as the browser has drawn them. */
function screenOf({ texts }: DrawnPicture): string[] {
  const rows = new Map<number, string[]>();
  for (const { text, y, height, starts } of texts.filter((each) => each.y > BAR_PX)) {
    const bottom = Math.round((y + height) / 20);
    const row = rows.get(bottom) ?? [];
    rows.set(bottom, row);
    for (const [index, character] of [...text].entries()) {
      const column = ((starts[index] ?? 0) - PADDING_PX) / CELL_PX;
      expect(Math.abs(column - Math.round(column)), `${character} of ${text}`).toBeLessThan(0.1);
      expect(row[Math.round(column)], text).toBeUndefined();
      row[Math.round(column)] = character;
    }
  }
  const first = Math.min(...rows.keys());
  return Array.from({ length: Math.max(...rows.keys()) - first + 1 }, (_, index) =>
    Array.from(rows.get(first + index) ?? [], (character) => character ?? ' ').join(''),
  );
}

function trimEnd(text: string): string {
  return text.trimEnd();
}

function overlap(one: DrawnText, other: DrawnText): boolean {
  // The boxes of a font are higher than its letters.
  const [across, down] = [1, 3];
  return (
    one.x + one.width - across > other.x &&
    other.x + other.width - across > one.x &&
    one.y + one.height - down > other.y + down &&
    other.y + other.height - down > one.y + down
  );
}
