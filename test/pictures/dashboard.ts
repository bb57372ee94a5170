import { type Box, type Display, styleOf, theme } from './grafana.ts';
import { drawSample } from './panels.ts';
import { samples } from './sample.ts';
import { element, escapeXml, picture } from './svg.ts';

/** What the picture needs of a dashboard's JSON; test/monitoring checks the rest. */
interface Dashboard {
  readonly title: string;
  readonly panels: readonly Panel[];
}

interface Panel extends Display {
  readonly type: string;
  readonly title: string;
  /** In cells of Grafana's grid, which has 24 columns. */
  readonly gridPos: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  };
}

const GRID_COLUMNS = 24;
const COLUMN_PX = 40;
const ROW_PX = 24;
const GAP_PX = 8;
const PADDING_PX = 16;
const HEADER_PX = 44;
const TITLE_PX = 26;

const FONT = "system-ui, -apple-system, 'Segoe UI', 'Liberation Sans', 'DejaVu Sans', sans-serif";

/** The dashboard as Grafana shows it, with the data of `sample.ts`. */
export function drawDashboard(json: string): string {
  const { title, panels } = JSON.parse(json) as Dashboard;
  const rows = Math.max(...panels.map(({ gridPos: { y, h } }) => y + h));
  const width = GRID_COLUMNS * COLUMN_PX - GAP_PX + 2 * PADDING_PX;
  const height = HEADER_PX + rows * ROW_PX - GAP_PX + PADDING_PX;
  return picture({ width, height, title }, [
    element('rect', {
      x: 0.5,
      y: 0.5,
      width: width - 1,
      height: height - 1,
      rx: 10,
      fill: theme.page,
      stroke: theme.edge,
    }),
    `<g font-family="${FONT}">`,
    heading(title, PADDING_PX, 28, 16),
    ...panels.map(drawPanel),
    '</g>',
  ]);
}

function drawPanel(panel: Panel): string {
  const { type, title, gridPos } = panel;
  const box: Box = {
    x: PADDING_PX + gridPos.x * COLUMN_PX,
    y: HEADER_PX + gridPos.y * ROW_PX,
    width: gridPos.w * COLUMN_PX - GAP_PX,
    height: gridPos.h * ROW_PX - GAP_PX,
  };
  if (type === 'row') return heading(`▾ ${title}`, box.x, box.y + 13, 13);
  const sample = samples[title];
  if (sample?.type !== type) throw new Error(`sample.ts has no ${type} for the panel ${title}`);
  const inner: Box = {
    x: box.x + 12,
    y: box.y + TITLE_PX + 4,
    width: box.width - 24,
    height: box.height - TITLE_PX - 14,
  };
  return element(
    'g',
    {},
    element('rect', { ...box, rx: 4, fill: theme.panel, stroke: theme.edge }),
    heading(title, box.x + 12, box.y + 19, 12.5),
    drawSample(sample, styleOf(panel), inner),
  );
}

function heading(text: string, x: number, y: number, size: number): string {
  const attributes = { x, y, 'font-size': size, 'font-weight': 600, fill: theme.text };
  return element('text', attributes, escapeXml(text));
}
