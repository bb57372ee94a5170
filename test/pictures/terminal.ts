import { type Colour, fold, parseAnsi, type Span } from './ansi.ts';
import { element, escapeXml, picture } from './xml.ts';

/** Whatever the reader has; the characters are put in their columns one by one if need be. */
const FONT = "ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace";

const FONT_PX = 14;
const CELL_PX = 8.4;
const LINE_PX = 20;
const PADDING_PX = 20;
const BAR_PX = 36;

/** Of its own, so that it can be read on a light page as on a dark one. */
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
  /** In the window's bar, and for those who cannot see. */
  readonly title: string;
  /** What the terminal shows, with its colours. */
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
    `<g font-family="${FONT}" font-size="${FONT_PX}" fill="${theme.text}" xml:space="preserve">`,
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

function drawLine(spans: readonly Span[], y: number): string {
  let column = 0;
  let drawn = '';
  for (const { text, ...style } of spans) {
    for (const piece of piecesOf(text)) {
      if (piece.trim() !== '') drawn += drawPiece({ text: piece, ...style }, column, y);
      column += [...piece].length;
    }
  }
  return drawn;
}

/** Each is of one font and begins in its own column: gaps and signs are wider or narrower elsewhere. */
function piecesOf(text: string): string[] {
  return text.split(/( {2,}|[^\u{20}-\u{7e}])/u).filter((piece) => piece !== '');
}

function drawPiece({ text, bold, dim, colour }: Span, column: number, y: number): string {
  const cells = [...text].length;
  const own = colour === undefined ? (bold ? theme.bright : undefined) : colours[colour];
  return element(
    'text',
    {
      x: round(PADDING_PX + column * CELL_PX),
      y,
      textLength: cells > 1 ? round(cells * CELL_PX) : undefined,
      lengthAdjust: cells > 1 ? 'spacingAndGlyphs' : undefined,
      fill: dim ? theme.dim : own,
      'font-weight': bold ? 'bold' : undefined,
    },
    escapeXml(text),
  );
}

function round(px: number): number {
  return Math.round(px * 10) / 10;
}
