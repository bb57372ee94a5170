import { element, escapeXml, picture } from './svg.ts';

const colourNames = [
  'black',
  'red',
  'green',
  'yellow',
  'blue',
  'magenta',
  'cyan',
  'white',
] as const;

type Colour = (typeof colourNames)[number];

interface Style {
  readonly bold: boolean;
  readonly dim: boolean;
  readonly colour: Colour | undefined;
}

interface Span extends Style {
  readonly text: string;
}

/** Whichever of these the reader has: each word is placed in its columns, whatever the font's own width. */
const FONT = "ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace";

const FONT_PX = 14;
export const CELL_PX = 8.4;
const LINE_PX = 20;
export const PADDING_PX = 20;
export const BAR_PX = 36;

/** Its own background, so that it is readable on a light page and on a dark one. */
const theme = {
  screen: '#0d1117',
  bar: '#161b22',
  edge: '#444c56',
  text: '#e6edf3',
  bright: '#ffffff',
  dim: '#8b949e',
  buttons: ['#ff5f57', '#febc2e', '#28c840'],
} as const;

const colours: Readonly<Record<Colour, string>> = {
  black: '#6e7681',
  red: '#ff7b72',
  green: '#3fb950',
  yellow: '#d29922',
  blue: '#58a6ff',
  magenta: '#bc8cff',
  cyan: '#39c5cf',
  white: '#b1bac4',
};

export interface Screen {
  /** In the window's bar, and for screen readers. */
  readonly title: string;
  /** What the terminal shows, with its colours as SGR escapes. */
  readonly text: string;
  readonly columns: number;
}

/** A terminal's window as an SVG, as high as the text needs. */
export function drawTerminal({ title, text, columns }: Screen): string {
  const lines = fold(parseAnsi(text.trimEnd()), columns);
  const width = Math.ceil(columns * CELL_PX) + 2 * PADDING_PX;
  const height = BAR_PX + lines.length * LINE_PX + 2 * PADDING_PX - (LINE_PX - FONT_PX);
  const rows = lines.flatMap((spans, row) => {
    const y = BAR_PX + PADDING_PX + FONT_PX - 3 + row * LINE_PX;
    const drawn = drawLine(spans, y);
    return drawn === '' ? [] : [drawn];
  });
  return picture({ width, height, title }, [
    ...drawWindow(width, height, title),
    `<g font-family="${FONT}" font-size="${FONT_PX}" fill="${theme.text}">`,
    ...rows,
    '</g>',
  ]);
}

function drawWindow(width: number, height: number, title: string): string[] {
  const middle = BAR_PX / 2;
  return [
    element('rect', {
      x: 0.5,
      y: 0.5,
      width: width - 1,
      height: height - 1,
      rx: 10,
      fill: theme.screen,
      stroke: theme.edge,
    }),
    element('path', {
      d: `M1 ${BAR_PX} V10.5 A9.5 9.5 0 0 1 10.5 1 H${width - 10.5} A9.5 9.5 0 0 1 ${width - 1} 10.5 V${BAR_PX} Z`,
      fill: theme.bar,
    }),
    ...theme.buttons.map((fill, index) =>
      element('circle', { cx: PADDING_PX + 2 + index * 20, cy: middle, r: 6, fill }),
    ),
    element(
      'text',
      {
        x: width / 2,
        y: middle + 5,
        'text-anchor': 'middle',
        'font-family': FONT,
        'font-size': 13,
        fill: theme.dim,
      },
      escapeXml(title),
    ),
  ];
}

/**
 * Each word is an element in its own column. Blanks are never drawn: browsers collapse them, and a text
 * stretched over them would have wider letters than its neighbours.
 */
function drawLine(spans: readonly Span[], y: number): string {
  let column = 0;
  let drawn = '';
  for (const { text, ...style } of spans) {
    for (const piece of text.split(/( +|[^\u{20}-\u{7e}])/u)) {
      if (piece.trim() !== '') drawn += drawWord({ text: piece, ...style }, column, y);
      column += [...piece].length;
    }
  }
  return drawn;
}

function drawWord({ text, bold, dim, colour }: Span, column: number, y: number): string {
  const cells = [...text].length;
  const own = colour === undefined ? (bold ? theme.bright : undefined) : colours[colour];
  return element(
    'text',
    {
      x: round(PADDING_PX + column * CELL_PX),
      y,
      // Moves the letters, and leaves their shapes alone.
      textLength: cells > 1 ? round(cells * CELL_PX) : undefined,
      fill: dim ? theme.dim : own,
      'font-weight': bold ? 'bold' : undefined,
    },
    escapeXml(text),
  );
}

function round(px: number): number {
  return Math.round(px * 10) / 10;
}

const plainStyle: Style = { bold: false, dim: false, colour: undefined };

const ESC = '\u{1b}';
const SGR_OR_LINE_FEED = new RegExp(`(${ESC}\\[[\\d;]*m|\\n)`);

/**
 * The lines of a text as a terminal shows them, in spans of one style each.
 *
 * @throws Error for an escape that is not SGR, and for a style that `Style` lacks
 */
function parseAnsi(text: string): Span[][] {
  const lines: Span[][] = [[]];
  let style = plainStyle;
  for (const piece of text.split(SGR_OR_LINE_FEED)) {
    if (piece === '\n') lines.push([]);
    else if (piece.startsWith(`${ESC}[`) && piece.endsWith('m')) style = restyled(style, piece);
    else if (piece.includes(ESC)) throw new Error(`not a style: ${JSON.stringify(piece)}`);
    else if (piece !== '') lines.at(-1)?.push({ text: piece, ...style });
  }
  return lines;
}

function restyled(before: Style, sgr: string): Style {
  let style = before;
  for (const code of sgr.slice(2, -1).split(';')) style = { ...style, ...changeBy(Number(code)) };
  return style;
}

function changeBy(code: number): Partial<Style> {
  const colour = colourNames[code - 30];
  if (code === 0) return plainStyle;
  if (code === 1) return { bold: true };
  if (code === 2) return { dim: true };
  if (code === 22) return { bold: false, dim: false };
  if (code === 39) return { colour: undefined };
  if (colour !== undefined) return { colour };
  throw new Error(`not a style: SGR ${code}`);
}

/** Breaks lines at the edge of the terminal, in the middle of words if need be, as it does. */
function fold(lines: readonly Span[][], columns: number): Span[][] {
  return lines.flatMap((line) => {
    const folded: Span[][] = [[]];
    let column = 0;
    for (const { text, ...style } of line) {
      const points = [...text];
      while (points.length > 0) {
        if (column === columns) {
          folded.push([]);
          column = 0;
        }
        const part = points.splice(0, columns - column);
        folded.at(-1)?.push({ text: part.join(''), ...style });
        column += part.length;
      }
    }
    return folded;
  });
}
