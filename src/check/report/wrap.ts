import { replaceUnprintable } from '../../support/text.ts';

/** Where a word may be cut in two and still be read: URLs, subjects, lists without blanks. */
const JOINTS = '/:,;=';
/** `https://` alone is no beginning of a URL. */
const SHORTEST_HEAD = 16;

/** A line of text as it is to be printed, without its indent. */
export interface TextLine {
  readonly text: string;
  /** To be copied as it is: it was indented. */
  readonly verbatim: boolean;
}

/**
 * Breaks a text into lines of `columns` code points at most, each taken to be one column wide, as
 * all are that we write ourselves. Indented lines, which hold SQL or commands, stay whole; what
 * cannot be printed shows as U+FFFD.
 */
export function layOut(text: string, columns: number): readonly TextLine[] {
  return text.split('\n').flatMap((line): TextLine[] => {
    const shown = replaceUnprintable(line.replaceAll('\t', '    ')).trimEnd();
    return shown.startsWith(' ')
      ? [{ text: shown, verbatim: true }]
      : wrap(shown, columns).map((wrapped) => ({ text: wrapped, verbatim: false }));
  });
}

/** Breaks at blanks; a word is cut only when it does not fit on a line of its own. */
function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/u)) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (widthOf(longer) <= columns) {
      line = longer;
      continue;
    }
    let rest = word;
    if (line !== '') {
      const head = widthOf(word) > columns ? headOf(word, columns - widthOf(line) - 1) : '';
      lines.push(head === '' ? line : `${line} ${head}`);
      rest = word.slice(head.length);
    }
    const pieces = cut(rest, columns);
    line = pieces.pop() ?? '';
    lines.push(...pieces);
  }
  return [...lines, line];
}

/** In code points. */
export function widthOf(text: string): number {
  return [...text].length;
}

function cut(word: string, columns: number): string[] {
  const pieces: string[] = [];
  let rest = word;
  while (widthOf(rest) > columns) {
    const piece = headOf(rest, columns) || [...rest].slice(0, columns).join('');
    pieces.push(piece);
    rest = rest.slice(piece.length);
  }
  return [...pieces, rest];
}

/** As much of a word as has room, up to a joint; empty when that would say too little. */
function headOf(word: string, columns: number): string {
  const points = [...word];
  const joint = points.findLastIndex((point, at) => at < columns && JOINTS.includes(point));
  return joint + 1 < SHORTEST_HEAD ? '' : points.slice(0, joint + 1).join('');
}
