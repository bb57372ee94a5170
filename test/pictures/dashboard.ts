import { isRecord } from '../../src/support/jwt.ts';
import { type Box, sketch, theme } from './sketches.ts';
import { element, escapeXml, picture } from './xml.ts';

/** In cells of Grafana's grid, which has 24 columns. */
interface Panel {
  readonly type: string;
  readonly title: string;
  readonly unit: string | undefined;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Dashboard {
  readonly title: string;
  readonly panels: readonly Panel[];
}

/** @throws Error for what is no dashboard's JSON */
export function readDashboard(json: string): Dashboard {
  const dashboard: unknown = JSON.parse(json);
  if (!isRecord(dashboard) || !Array.isArray(dashboard['panels'])) throw new Error('no panels');
  return { title: textIn(dashboard, 'title'), panels: dashboard['panels'].flatMap(readPanel) };
}

/** A collapsed row holds its own panels, which are not to be seen. */
function readPanel(panel: unknown): Panel {
  const place = isRecord(panel) ? panel['gridPos'] : undefined;
  if (!isRecord(panel) || !isRecord(place)) throw new Error('a panel without a place');
  const { fieldConfig } = panel;
  const defaults = isRecord(fieldConfig) ? fieldConfig['defaults'] : undefined;
  const unit = isRecord(defaults) ? defaults['unit'] : undefined;
  return {
    type: textIn(panel, 'type'),
    title: typeof panel['title'] === 'string' ? panel['title'] : '',
    unit: typeof unit === 'string' ? unit : undefined,
    x: numberIn(place, 'x'),
    y: numberIn(place, 'y'),
    width: numberIn(place, 'w'),
    height: numberIn(place, 'h'),
  };
}

function textIn(record: Record<string, unknown>, name: string): string {
  const value = record[name];
  if (typeof value !== 'string') throw new Error(`${name} is no text`);
  return value;
}

function numberIn(record: Record<string, unknown>, name: string): number {
  const value = record[name];
  if (typeof value !== 'number') throw new Error(`${name} is no number`);
  return value;
}

const GRID_COLUMNS = 24;
const COLUMN_PX = 36;
const ROW_PX = 22;
const GAP_PX = 8;
const PADDING_PX = 16;
const HEADER_PX = 44;
const TITLE_PX = 26;

const FONT = "system-ui, -apple-system, 'Segoe UI', 'Liberation Sans', 'DejaVu Sans', sans-serif";

/** The panels where they are, each with a sketch of its kind: no data, so no promises. */
export function drawDashboard({ title, panels }: Dashboard): string {
  const rows = Math.max(0, ...panels.map(({ y, height }) => y + height));
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
    element(
      'text',
      { x: PADDING_PX, y: 28, 'font-size': 16, 'font-weight': 600, fill: theme.text },
      escapeXml(title),
    ),
    ...panels.map((panel, index) => drawPanel(panel, index)),
    '</g>',
  ]);
}

function drawPanel(panel: Panel, index: number): string {
  const box = {
    x: PADDING_PX + panel.x * COLUMN_PX,
    y: HEADER_PX + panel.y * ROW_PX,
    width: panel.width * COLUMN_PX - GAP_PX,
    height: panel.height * ROW_PX - GAP_PX,
  };
  if (panel.type === 'row') return drawRow(panel.title, box);
  const inner = {
    x: box.x + 12,
    y: box.y + TITLE_PX + 6,
    width: box.width - 24,
    height: box.height - TITLE_PX - 18,
  };
  return element(
    'g',
    {},
    element('rect', { ...box, rx: 4, fill: theme.panel, stroke: theme.edge }),
    element(
      'text',
      { x: box.x + 12, y: box.y + 19, 'font-size': 12.5, 'font-weight': 600, fill: theme.text },
      escapeXml(panel.title),
    ),
    panel.unit === undefined ? '' : drawUnit(panel.unit, box),
    sketch(panel, inner, index),
  );
}

function drawUnit(unit: string, box: Box): string {
  return element(
    'text',
    {
      x: box.x + box.width - 12,
      y: box.y + 19,
      'text-anchor': 'end',
      'font-size': 11,
      fill: theme.dim,
    },
    escapeXml(unit),
  );
}

function drawRow(title: string, { x, y }: Box): string {
  return element(
    'text',
    { x, y: y + 13, 'font-size': 13, 'font-weight': 600, fill: theme.text },
    escapeXml(`▾ ${title}`),
  );
}
