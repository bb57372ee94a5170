import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { drawDashboard, readDashboard } from './dashboard.ts';
import { drawTerminal } from './terminal.ts';
import { escapeXml } from './xml.ts';

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"' };

function unescapeXml(text: string): string {
  return text.replaceAll(/&(\w+);/g, (_, name: string) => entities[name] ?? `unknown ${name}`);
}

/** The texts of an SVG, element by element. */
function textsIn(svg: string): string[] {
  return [...svg.matchAll(/>([^<\n]+)</g)].map(([, text = '']) => unescapeXml(text));
}

/** Where the piece begins, in pixels from the left. */
function xOf(svg: string, text: string): number {
  return Number(new RegExp(`<text x="([\\d.]+)"[^>]*>${text}<`).exec(svg)?.[1]);
}

describe('escaping', () => {
  test('is undone by whoever reads the XML', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'a&<>"\';é✓\n') }), (text) => {
        expect(escapeXml(text)).not.toMatch(/[<>"]|&(?!(?:amp|lt|gt|quot);)/);
        expect(unescapeXml(escapeXml(text))).toBe(text);
      }),
    );
  });

  test('leaves nothing that XML forbids', () => {
    expect(escapeXml('a\u{0}b\u{1b}c\u{d800}d\u{ffff}')).toBe(
      'a\u{fffd}b\u{fffd}c\u{fffd}d\u{fffd}',
    );
  });
});

describe('a terminal', () => {
  const svg = drawTerminal({
    title: 'check <all> & "more"',
    text: '\u{1b}[32m✓\u{1b}[39m one    & <two>\n\nlong\n',
    columns: 16,
  });

  test('shows every word, and its title', () => {
    expect(textsIn(svg)).toEqual([
      'check <all> & "more"',
      'check <all> & "more"',
      '✓',
      ' one',
      '& <two>',
      'long',
    ]);
  });

  test('puts each word in its column, whatever the font makes of the signs before it', () => {
    const cell = 8.4;
    expect(xOf(svg, '&amp; &lt;two&gt;') - xOf(svg, '✓')).toBeCloseTo(9 * cell, 0);
    expect(xOf(svg, 'long')).toBe(xOf(svg, '✓'));
  });

  test('is as high as it has lines', () => {
    const heightOf = (text: string) =>
      Number(/height="(\d+)"/.exec(drawTerminal({ title: '', text, columns: 4 }))?.[1]);
    expect(heightOf('a\nb') - heightOf('a')).toBe(20);
    expect(heightOf('abcde')).toBe(heightOf('a\nb'));
  });
});

describe('a dashboard', () => {
  const panel = (type: string, title: string, x: number, unit?: string) => ({
    type,
    title,
    gridPos: { x, y: 0, w: 12, h: 8 },
    fieldConfig: { defaults: { unit } },
  });
  const json = JSON.stringify({
    title: 'pgpassd',
    panels: [panel('timeseries', 'Time left <by pod>', 0, 's'), panel('unheard of', 'New', 12)],
  });

  test('shows each panel with its title and unit, and the kind of one it cannot sketch', () => {
    expect(textsIn(drawDashboard(readDashboard(json)))).toEqual([
      'pgpassd',
      'pgpassd',
      'Time left <by pod>',
      's',
      'New',
      'unheard of',
    ]);
  });

  test('has its panels on 24 columns', () => {
    const svg = drawDashboard(readDashboard(json));
    const [page, left, right] = [...svg.matchAll(/<rect x="([\d.]+)"[^>]*? width="([\d.]+)"/g)].map(
      ([, x, width]) => ({ x: Number(x), width: Number(width) }),
    );
    expect(left?.width).toBe(right?.width);
    expect((left?.x ?? 0) - (page?.x ?? 0)).toBeCloseTo(
      (page?.width ?? 0) - (right?.x ?? 0) - (right?.width ?? 0),
      -1,
    );
  });

  test.each([
    ['no JSON', '{'],
    ['no panels', '{"title":"x"}'],
    ['a panel without a place', '{"title":"x","panels":[{"type":"stat"}]}'],
  ])('with %s is refused', (_, text) => {
    expect(() => readDashboard(text)).toThrow();
  });
});

describe('docs/pictures', () => {
  const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

  test('has the dashboard as it is; `npm run pictures` draws it anew', () => {
    const dashboard = readDashboard(read('manifests/monitoring/dashboard.json'));
    expect(read('docs/pictures/dashboard.svg')).toBe(drawDashboard(dashboard));
  });

  test.each(['check-healthy.svg', 'check-broken.svg', 'dashboard.svg'])(
    '%s takes nothing from elsewhere and runs nothing',
    (name) => {
      const svg = read(`docs/pictures/${name}`);
      expect(svg).not.toMatch(/<(?:script|foreignObject|style|image|use)\b|href|url\(|\bon\w+=/i);
    },
  );
});
