import {
  AXIS_PX,
  type Box,
  bar,
  inUnit,
  LEGEND_ROW_PX,
  label,
  legendOf,
  legendOfNames,
  namedColours,
  type PanelStyle,
  round,
  theme,
  ticksUpTo,
  timeAxis,
  widthOf,
  xOf,
} from './grafana.ts';
import { type Point, RANGE_HOURS, type Sample, type Series } from './sample.ts';
import { element } from './svg.ts';

export function drawSample(sample: Sample, style: PanelStyle, box: Box): string {
  switch (sample.type) {
    case 'stat':
      return drawStat(sample.value, style, box);
    case 'timeseries':
      return drawChart(sample.series, style, box);
    case 'bargauge':
      return drawGauges(sample.series, style, box);
    case 'state-timeline':
      return drawStates(sample.series, style, box);
    case 'heatmap':
      return drawHeatmap(sample.points, sample.bounds, style, box);
    case 'table':
      return drawTable(sample.rows, box);
  }
}

function drawStat(value: number, { unit, decimals, colourOf }: PanelStyle, box: Box): string {
  const text = inUnit(value, unit, decimals);
  const size = Math.min(28, box.width / (text.length * 0.72));
  return label(text, box.x + box.width / 2, box.y + box.height / 2 + size * 0.32, {
    fill: colourOf(value),
    size,
    weight: 600,
    anchor: 'middle',
  });
}

function drawChart(series: readonly Series[], style: PanelStyle, box: Box): string {
  const legend = legendOf(series, style, box);
  const plot: Box = {
    x: box.x + AXIS_PX,
    y: box.y + 6,
    width: box.width - AXIS_PX,
    height: box.height - 28 - legend.rows * LEGEND_ROW_PX,
  };
  const stacked = style.drawStyle === 'bars';
  const ticks = ticksUpTo(
    stacked ? highestStack(series) : highest(series),
    style.unit,
    style.decimals,
  );
  const top = ticks.at(-1) ?? 1;
  const yOf = (value: number) => plot.y + plot.height * (1 - value / top);
  const shown = ticks.filter((_, index) => ticks.length < 5 || index % 2 === 0);
  return [
    ...shown.map((value) => gridLine(plot, yOf(value), inUnit(value, style.unit))),
    timeAxis(plot),
    stacked ? drawBars(series, style, plot, yOf) : drawLines(series, style, plot, yOf),
    legend.drawAt(box.y + box.height - legend.rows * LEGEND_ROW_PX),
  ].join('');
}

function highest(series: readonly Series[]): number {
  return Math.max(...series.flatMap(({ points }) => points.map(([, value]) => value)));
}

function highestStack(series: readonly Series[]): number {
  const sums = (series[0]?.points ?? []).map((_, index) =>
    series.reduce((sum, { points }) => sum + (points[index]?.[1] ?? 0), 0),
  );
  return Math.max(1, ...sums);
}

function gridLine({ x, width }: Box, y: number, text: string): string {
  const line = element('path', {
    d: `M${round(x)} ${round(y)}h${round(width)}`,
    stroke: theme.grid,
    fill: 'none',
  });
  return line + label(text, x - 8, y + 4, { anchor: 'end' });
}

function drawLines(
  series: readonly Series[],
  style: PanelStyle,
  plot: Box,
  yOf: (value: number) => number,
): string {
  return series
    .map(({ name, points }, index) => {
      const stroke = style.colourOfSeries(name, index);
      const places = points.map(([at, value]) => [round(xOf(plot, at)), round(yOf(value))]);
      if (style.drawStyle === 'points') {
        return places.map(([cx, cy]) => element('circle', { cx, cy, r: 3, fill: stroke })).join('');
      }
      const line = places.map((place) => place.join(',')).join(' ');
      return element('polyline', { points: line, stroke, fill: 'none', 'stroke-width': 1.4 });
    })
    .join('');
}

function drawBars(
  series: readonly Series[],
  style: PanelStyle,
  plot: Box,
  yOf: (value: number) => number,
): string {
  const pitch = plot.width / RANGE_HOURS;
  const below = new Map<number, number>();
  return series
    .flatMap(({ name, points }, index) =>
      points
        .filter(([, value]) => value > 0)
        .map(([at, value]) => {
          const from = below.get(at) ?? 0;
          below.set(at, from + value);
          const y = yOf(from + value);
          const height = yOf(from) - y;
          return bar(xOf(plot, at) + 1, y, pitch - 2, height, style.colourOfSeries(name, index));
        }),
    )
    .join('');
}

function drawGauges(series: readonly Series[], style: PanelStyle, box: Box): string {
  const values = series.map(({ name, points }) => ({ name, value: points.at(-1)?.[1] ?? 0 }));
  const max = style.max ?? Math.max(...values.map(({ value }) => value));
  const namesPx = Math.max(...values.map(({ name }) => widthOf(name)));
  const width = box.width - namesPx - 64;
  const pitch = Math.min(44, box.height / values.length);
  return values
    .map(({ name, value }, index) => {
      const y = box.y + index * pitch + 4;
      const height = pitch * 0.62;
      const [middle, x] = [y + height / 2 + 4, box.x + namesPx + 4];
      const colour = style.colourOf(value);
      return [
        label(name, box.x, middle, { fill: theme.text }),
        bar(x, y, width, height, theme.grid),
        bar(x, y, (width * Math.min(value, max)) / max, height, colour),
        label(inUnit(value, style.unit, style.decimals), box.x + box.width, middle, {
          fill: colour,
          size: 13,
          weight: 600,
          anchor: 'end',
        }),
      ].join('');
    })
    .join('');
}

function drawStates(series: readonly Series[], { states }: PanelStyle, box: Box): string {
  const namesPx = Math.max(...series.map(({ name }) => widthOf(name)));
  const plot: Box = {
    x: box.x + namesPx + 4,
    y: box.y,
    width: box.width - namesPx - 4,
    height: box.height - 38,
  };
  const pitch = plot.height / series.length;
  const rows = series.map(({ name, points }, row) => {
    const y = plot.y + row * pitch;
    const height = pitch * 0.8;
    const strips = points.map(([from, value], index) => {
      const { text = '', color = '' } = states[value] ?? {};
      const [x, end] = [xOf(plot, from), xOf(plot, points[index + 1]?.[0] ?? RANGE_HOURS)];
      const strip = bar(x, y, end - x, height, namedColours[color] ?? theme.dim);
      // Grafana leaves out a text that does not fit.
      const fits = end - x > widthOf(text) + 8;
      return strip + (fits ? label(text, x + 6, y + height / 2 + 4, { fill: theme.page }) : '');
    });
    return label(name, box.x, y + height / 2 + 4, { fill: theme.text }) + strips.join('');
  });
  const names = Object.values(states).map(({ text, color }) => ({
    name: text,
    colour: namedColours[color] ?? theme.dim,
  }));
  const legend = legendOfNames(names, box).drawAt(box.y + box.height - LEGEND_ROW_PX);
  return [...rows, timeAxis(plot), legend].join('');
}

function drawHeatmap(
  points: readonly Point[],
  bounds: readonly number[],
  { unit }: PanelStyle,
  box: Box,
): string {
  const plot: Box = {
    x: box.x + AXIS_PX,
    y: box.y,
    width: box.width - AXIS_PX,
    height: box.height - 20,
  };
  const pitch = plot.height / bounds.length;
  const counts = new Map<string, number>();
  for (const [at, value] of points) {
    const cell = `${Math.floor(at)} ${bounds.findIndex((bound) => value <= bound)}`;
    counts.set(cell, (counts.get(cell) ?? 0) + 1);
  }
  const most = Math.max(...counts.values());
  const cells = [...counts].map(([cell, count]) => {
    const [hour = 0, row = 0] = cell.split(' ').map(Number);
    return element('rect', {
      x: round(xOf(plot, hour)),
      y: round(plot.y + plot.height - (row + 1) * pitch),
      width: round(plot.width / RANGE_HOURS - 1),
      height: round(pitch - 1),
      fill: namedColours['orange'],
      'fill-opacity': round(0.35 + 0.65 * Math.sqrt(count / most)),
    });
  });
  const marks = bounds.map((bound, row) =>
    label(inUnit(bound, unit), plot.x - 8, plot.y + plot.height - (row + 0.5) * pitch + 4, {
      anchor: 'end',
    }),
  );
  return [...marks, ...cells, timeAxis(plot)].join('');
}

function drawTable(
  rows: readonly Readonly<Record<string, string | number>>[],
  { x, y, width }: Box,
): string {
  const columns = Object.keys(rows[0] ?? {});
  const wanted = columns.map((column) =>
    Math.max(...[column, ...rows.map((row) => String(row[column]))].map((text) => text.length + 2)),
  );
  const total = wanted.reduce((sum, each) => sum + each, 0);
  let left = x;
  return columns
    .map((column, index) => {
      const own = (width * (wanted[index] ?? 0)) / total;
      // Grafana puts numbers on the right.
      const isNumber = typeof rows[0]?.[column] === 'number';
      const at = isNumber ? left + own - 16 : left;
      const anchor = isNumber ? 'end' : 'start';
      left += own;
      return [
        label(column, at, y + 14, { fill: theme.text, weight: 500, anchor }),
        ...rows.map((row, line) =>
          label(String(row[column]), at, y + 40 + line * 26, { fill: theme.text, anchor }),
        ),
      ].join('');
    })
    .concat(rows.map((_, line) => bar(x, y + 22 + line * 26, width, 1, theme.grid)))
    .join('');
}
