import { NOW_MS, type Point, RANGE_HOURS, type Series } from './sample.ts';
import { element, escapeXml } from './svg.ts';

/** Grafana's dark theme, with an edge to stand out from a dark page. */
export const theme = {
  page: '#111217',
  panel: '#181b1f',
  edge: '#3a3f47',
  grid: '#2a2e34',
  text: '#e0e2e8',
  dim: '#8e9199',
} as const;

export const namedColours: Readonly<Record<string, string>> = {
  green: '#73bf69',
  orange: '#ff9830',
  red: '#f2495c',
  blue: '#5794f2',
  text: theme.text,
};

const palette = ['#7eb26d', '#eab839', '#6ed0e0'] as const;

/** In pixels. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

interface Threshold {
  readonly color: string;
  readonly value: number | null;
}

/** How a panel shows its values, as Grafana's JSON has it. */
export interface Display {
  readonly fieldConfig?: {
    readonly defaults: {
      readonly unit?: string;
      readonly decimals?: number;
      readonly max?: number;
      readonly color?: { readonly fixedColor?: string };
      readonly custom?: { readonly drawStyle?: string };
      readonly thresholds?: { readonly steps: readonly Threshold[] };
      readonly mappings?: readonly {
        readonly options: Readonly<
          Record<string, { readonly text: string; readonly color: string }>
        >;
      }[];
    };
    readonly overrides: readonly {
      readonly matcher: { readonly options: string };
      readonly properties: readonly { readonly id: string; readonly value: unknown }[];
    }[];
  };
  readonly options?: { readonly legend?: { readonly calcs?: readonly string[] } };
}

/** The same, with Grafana's defaults where the JSON has none. */
export interface PanelStyle {
  readonly unit: string;
  readonly decimals: number | undefined;
  readonly max: number | undefined;
  readonly drawStyle: string;
  readonly calcs: readonly string[];
  readonly states: Readonly<Record<string, { readonly text: string; readonly color: string }>>;
  colourOf(value: number): string;
  colourOfSeries(name: string, index: number): string;
}

export function styleOf({ fieldConfig, options }: Display): PanelStyle {
  const {
    unit = 'none',
    decimals,
    max,
    color,
    custom,
    thresholds,
    mappings,
  } = {
    ...fieldConfig?.defaults,
  };
  const fixed = color?.fixedColor;
  const own = new Map(
    fieldConfig?.overrides.flatMap(({ matcher, properties }) =>
      properties
        .filter(({ id }) => id === 'color')
        .map(({ value }): [string, string] => [
          matcher.options,
          (value as { fixedColor: string }).fixedColor,
        ]),
    ),
  );
  const colour = (name: string | undefined): string => namedColours[name ?? ''] ?? theme.dim;
  return {
    unit,
    decimals,
    max,
    drawStyle: custom?.drawStyle ?? 'line',
    calcs: options?.legend?.calcs ?? [],
    states: mappings?.[0]?.options ?? {},
    colourOf: (value) =>
      colour(
        fixed ?? thresholds?.steps.findLast((step) => value >= (step.value ?? -Infinity))?.color,
      ),
    colourOfSeries: (name, index) => {
      const given = own.get(name);
      return given === undefined ? (palette[index % palette.length] ?? theme.dim) : colour(given);
    },
  };
}

const SMALL_PX = 11;
export const LEGEND_ROW_PX = 15;
export const AXIS_PX = 58;

interface Label {
  readonly fill?: string;
  readonly size?: number;
  readonly weight?: number;
  readonly anchor?: 'start' | 'middle' | 'end';
}

export function label(text: string, x: number, y: number, style: Label = {}): string {
  const { fill = theme.dim, size = SMALL_PX, weight, anchor } = style;
  return element(
    'text',
    {
      x: round(x),
      y: round(y),
      'text-anchor': anchor,
      'font-size': size,
      'font-weight': weight,
      fill,
    },
    escapeXml(text),
  );
}

export function bar(x: number, y: number, width: number, height: number, fill: string): string {
  const size = { width: round(width), height: round(height) };
  return element('rect', { x: round(x), y: round(y), ...size, fill });
}

/** In pixels; an estimate that is wide enough in every usual font. */
export const widthOf = (text: string): number => text.length * 6.8;

export const xOf = ({ x, width }: Box, atHours: number): number =>
  x + (width * atHours) / RANGE_HOURS;

export function timeAxis(plot: Box): string {
  return [0.25, 0.5, 0.75]
    .map((share) => {
      const at = new Date(NOW_MS - (1 - share) * RANGE_HOURS * 3_600_000);
      const text = at.toISOString().slice(11, 16);
      return label(text, plot.x + plot.width * share, plot.y + plot.height + 15, {
        anchor: 'middle',
      });
    })
    .join('');
}

const CALC_PX = 84;
const calculations: Readonly<Record<string, Calculation>> = {
  min: { title: 'Min', of: (points) => Math.min(...points.map(([, value]) => value)) },
  lastNotNull: { title: 'Last *', of: (points) => points.at(-1)?.[1] ?? 0 },
  sum: { title: 'Total', of: (points) => points.reduce((sum, [, value]) => sum + value, 0) },
};

interface Calculation {
  readonly title: string;
  readonly of: (points: readonly Point[]) => number;
}

interface Legend {
  readonly rows: number;
  drawAt(y: number): string;
}

/** A table where there is something to calculate, else as many names in a row as there is room for. */
export function legendOf(series: readonly Series[], style: PanelStyle, box: Box): Legend {
  const colours = series.map(({ name }, index) => style.colourOfSeries(name, index));
  if (style.calcs.length === 0) {
    const names = series.map(({ name }, index) => ({ name, colour: colours[index] ?? theme.dim }));
    return legendOfNames(names, box);
  }
  const calcs = style.calcs.flatMap((name) => calculations[name] ?? []);
  const right = (column: number) => box.x + box.width - (calcs.length - 1 - column) * CALC_PX;
  const cell = (text: string, column: number, y: number, fill: string) =>
    label(text, right(column), y, { fill, anchor: 'end' });
  return {
    rows: series.length + 1,
    drawAt: (y) =>
      [
        ...calcs.map(({ title }, column) =>
          cell(title, column, y + 11, namedColours['blue'] ?? theme.dim),
        ),
        ...series.flatMap(({ name, points }, index) => {
          const line = y + 11 + (index + 1) * LEGEND_ROW_PX;
          return [
            legendName(name, colours[index] ?? theme.dim, box.x, line),
            ...calcs.map(({ of }, column) =>
              cell(inUnit(of(points), style.unit, style.decimals), column, line, theme.text),
            ),
          ];
        }),
      ].join(''),
  };
}

export function legendOfNames(
  names: readonly { readonly name: string; readonly colour: string }[],
  box: Box,
): Legend {
  const entryPx = Math.max(...names.map(({ name }) => widthOf(name))) + 34;
  const columns = Math.max(1, Math.floor(box.width / entryPx));
  return {
    rows: Math.ceil(names.length / columns),
    drawAt: (y) =>
      names
        .map(({ name, colour }, index) => {
          const x = box.x + (index % columns) * entryPx;
          return legendName(name, colour, x, y + 11 + Math.floor(index / columns) * LEGEND_ROW_PX);
        })
        .join(''),
  };
}

function legendName(name: string, colour: string, x: number, y: number): string {
  return bar(x, y - 5, 12, 3, colour) + label(name, x + 18, y, { fill: theme.text });
}

export function round(px: number): number {
  return Math.round(px * 10) / 10;
}

/**
 * A value as Grafana shows it in this unit.
 *
 * @throws Error for a unit that the dashboard did not have before
 */
export function inUnit(value: number, unit: string, decimals?: number): string {
  switch (unit) {
    case 's':
      return seconds(value);
    case 'percentunit':
      return `${rounded(value * 100, decimals)}%`;
    case 'bytes':
      return value === 0 ? '0 B' : `${rounded(value / 1024 ** 2, decimals)} MiB`;
    case 'short':
    case 'none':
      return rounded(value, decimals);
    default:
      throw new Error(`inUnit in grafana.ts does not know the unit ${unit}`);
  }
}

function seconds(value: number): string {
  if (value === 0) return '0 s';
  if (value < 1) return `${rounded(value * 1000)} ms`;
  if (value < 60) return `${rounded(value)} s`;
  if (value < 3600) return `${rounded(value / 60)} mins`;
  return value === 3600 ? '1 hour' : `${rounded(value / 3600)} hours`;
}

/** Three digits at most, unless the panel says how many decimals. */
function rounded(value: number, decimals?: number): string {
  if (decimals !== undefined) return value.toFixed(decimals);
  return String(Number(value.toPrecision(3)));
}

/** The marks of an axis, at most five, from 0 to at least `max`, at round values of the unit. */
export function ticksUpTo(max: number, unit: string, decimals?: number): readonly number[] {
  const scale = unit === 'bytes' ? 1024 ** 2 : 1;
  const steps = unit === 's' && max > 600 ? secondSteps : decimalSteps(max / scale);
  const fitting = (steps.find((each) => each * scale * 4 >= max) ?? max / 4) * scale;
  const step = decimals === 0 ? Math.ceil(fitting) : fitting;
  return Array.from({ length: Math.max(1, Math.ceil(max / step)) + 1 }, (_, index) => index * step);
}

const secondSteps = [300, 600, 900, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 24 * 3600];

function decimalSteps(max: number): readonly number[] {
  const magnitude = 10 ** Math.floor(Math.log10(max / 4));
  return [1, 2, 2.5, 5, 10].map((factor) => factor * magnitude);
}
