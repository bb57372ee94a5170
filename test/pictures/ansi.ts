const colours = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'] as const;

export type Colour = (typeof colours)[number];

export interface Style {
  readonly bold: boolean;
  readonly dim: boolean;
  readonly colour: Colour | undefined;
}

export interface Span extends Style {
  readonly text: string;
}

export const plainStyle: Style = { bold: false, dim: false, colour: undefined };

const ESC = '\u{1b}';
const SGR_OR_LINE_FEED = new RegExp(`(${ESC}\\[[\\d;]*m|\\n)`);

/**
 * The lines of a text as a terminal shows them, in spans of one style each.
 *
 * @throws Error for an escape that is no SGR, and for a style that is none of `Style`'s
 */
export function parseAnsi(text: string): Span[][] {
  const lines: Span[][] = [[]];
  let style = plainStyle;
  for (const piece of text.split(SGR_OR_LINE_FEED)) {
    if (piece === '\n') lines.push([]);
    else if (piece.startsWith(`${ESC}[`) && piece.endsWith('m')) style = restyled(style, piece);
    else if (piece.includes(ESC)) throw new Error(`no style: ${JSON.stringify(piece)}`);
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
  const colour = colours[code - 30];
  if (code === 0) return plainStyle;
  if (code === 1) return { bold: true };
  if (code === 2) return { dim: true };
  if (code === 22) return { bold: false, dim: false };
  if (code === 39) return { colour: undefined };
  if (colour !== undefined) return { colour };
  throw new Error(`no style: SGR ${code}`);
}

/** Breaks lines at the edge of a terminal, in the middle of words if need be, as it does. */
export function fold(lines: readonly Span[][], columns: number): Span[][] {
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
