import { element, escapeXml } from './xml.ts';

/** Grafana's own dark one, with an edge to stand out from a dark page. */
export const theme = {
  page: '#111217',
  panel: '#181b1f',
  edge: '#3a3f47',
  grid: '#2a2e34',
  text: '#e0e2e8',
  dim: '#8e9199',
  series: ['#73bf69', '#f2cc0c', '#5794f2', '#ff9830'],
  good: '#73bf69',
  bad: '#f2495c',
} as const;

/** In pixels. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

interface Sketched {
  readonly type: string;
  readonly unit: string | undefined;
}

/** What a panel of this kind looks like, more or less; `seed` keeps neighbours from being alike. */
export function sketch({ type, unit }: Sketched, box: Box, seed: number): string {
  const draw = sketches[type];
  return draw === undefined ? caption(type, box) : draw(box, seed, unit);
}

const sketches: Readonly<
  Record<string, (box: Box, seed: number, unit: string | undefined) => string>
> = {
  timeseries: (box, seed, unit) => grid(box) + (unit === 's' ? saws(box) : curves(box, seed)),
  stat: (box, _, unit) => value(unit, box),
  bargauge: (box, seed) => bars(box, seed),
  heatmap: (box, seed) => cells(box, seed),
  table: (box) => table(box),
  'state-timeline': (box, seed) => segments(box, seed),
};

/** Between 0 and 1, the same on every run. */
function level(seed: number, at: number): number {
  const wave = Math.sin(seed * 2.1 + at * 0.37) + 0.5 * Math.sin(seed * 1.3 + at * 1.1);
  return 0.5 + wave / 3.2;
}

function grid({ x, y, width, height }: Box): string {
  const d = [0, 1, 2, 3].map((line) => `M${x} ${round(y + (height * line) / 3)}h${width}`).join('');
  return element('path', { d, stroke: theme.grid, fill: 'none' });
}

const POINTS = 48;

function curves(box: Box, seed: number): string {
  return theme.series
    .slice(0, 3)
    .map((stroke, series) =>
      curve(box, stroke, (at) => 0.12 + series * 0.24 + 0.24 * level(seed + series * 5, at)),
    )
    .join('');
}

/** What is left of a life is topped up again and again. */
function saws(box: Box): string {
  const period = POINTS / 4;
  return theme.series
    .slice(0, 3)
    .map((stroke, series) =>
      curve(box, stroke, (at) => 0.9 - 0.45 * (((at + series * 3.5) % period) / period)),
    )
    .join('');
}

function curve({ x, y, width, height }: Box, stroke: string, levelAt: (at: number) => number) {
  const points = Array.from({ length: POINTS + 1 }, (_, at) =>
    [round(x + (width * at) / POINTS), round(y + height * (1 - levelAt(at)))].join(','),
  );
  return element('polyline', {
    points: points.join(' '),
    stroke,
    fill: 'none',
    'stroke-width': 1.6,
    'stroke-linejoin': 'round',
  });
}

const samples: Readonly<Record<string, string>> = {
  s: '43 min',
  percentunit: '100 %',
  percent: '100 %',
  dateTimeAsIso: '14:05:12',
};

function value(unit: string | undefined, { x, y, width, height }: Box): string {
  const size = round(Math.min(34, height * 0.7, width / 4));
  return element(
    'text',
    {
      x: round(x + width / 2),
      y: round(y + height / 2 + size * 0.36),
      'text-anchor': 'middle',
      'font-size': size,
      'font-weight': 600,
      fill: theme.good,
    },
    escapeXml(samples[unit ?? ''] ?? '3'),
  );
}

function bars({ x, y, width, height }: Box, seed: number): string {
  const count = Math.max(2, Math.floor(height / 24));
  const pitch = height / count;
  return Array.from({ length: count }, (_, at) =>
    element('rect', {
      x,
      y: round(y + at * pitch),
      width: round(width * (0.25 + 0.7 * level(seed, at * 3))),
      height: round(pitch * 0.6),
      rx: 2,
      fill: theme.series[at % theme.series.length],
    }),
  ).join('');
}

function cells({ x, y, width, height }: Box, seed: number): string {
  const [across, down] = [24, 6];
  return Array.from({ length: across * down }, (_, at) => {
    const [column, row] = [at % across, Math.floor(at / across)];
    const centre = down * (0.45 + 0.3 * level(seed, column));
    return element('rect', {
      x: round(x + (width * column) / across),
      y: round(y + (height * row) / down),
      width: round(width / across - 1.5),
      height: round(height / down - 1.5),
      fill: theme.series[3],
      'fill-opacity': round(Math.max(0.06, 1 - Math.abs(row - centre) / 2)),
    });
  }).join('');
}

function table({ x, y, width, height }: Box): string {
  const count = Math.max(2, Math.floor(height / 20));
  const shares = [0.34, 0.18, 0.26, 0.12];
  return Array.from({ length: count }, (_, row) =>
    shares
      .map((share, column) =>
        element('rect', {
          x: round(x + (width * column) / shares.length),
          y: round(y + (height * row) / count),
          width: round(width * share * 0.65),
          height: 7,
          rx: 3,
          fill: row === 0 ? theme.dim : theme.grid,
        }),
      )
      .join(''),
  ).join('');
}

function segments({ x, y, width, height }: Box, seed: number): string {
  const count = Math.max(1, Math.min(4, Math.floor(height / 22)));
  const pitch = height / count;
  return Array.from({ length: count }, (_, row) => {
    const at = width * (0.3 + 0.4 * level(seed, row * 4));
    const strip = (from: number, to: number, fill: string) =>
      element('rect', {
        x: round(x + from),
        y: round(y + row * pitch),
        width: round(to - from),
        height: round(pitch * 0.7),
        fill,
      });
    return row === 0
      ? strip(0, at, theme.good) + strip(at, at + 18, theme.bad) + strip(at + 18, width, theme.good)
      : strip(0, width, theme.good);
  }).join('');
}

function caption(type: string, { x, y, width, height }: Box): string {
  return element(
    'text',
    {
      x: round(x + width / 2),
      y: round(y + height / 2 + 5),
      'text-anchor': 'middle',
      'font-size': 12,
      fill: theme.dim,
    },
    escapeXml(type),
  );
}

function round(px: number): number {
  return Math.round(px * 10) / 10;
}
