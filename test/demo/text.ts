import { styleText } from 'node:util';

export const SCREEN_COLUMNS = 80;

type Style = Parameters<typeof styleText>[0];

/** Coloured whatever the terminal; who writes takes the colours out where they are not wanted. */
export function paint(style: Style, text: string): string {
  return styleText(style, text, { validateStream: false });
}

export function seconds(ms: number): string {
  return `${(Math.max(0, ms) / 1000).toFixed(1)} s`;
}

export function clip(text: string, columns: number): string {
  return text.length > columns ? `${text.slice(0, columns - 1)}…` : text;
}

/** Breaks at blanks; a word longer than a line gets cut. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (longer.length <= columns) {
      line = longer;
      continue;
    }
    if (line !== '') lines.push(line);
    line = word;
    for (; line.length > columns; line = line.slice(columns)) lines.push(line.slice(0, columns));
  }
  return [...lines, line];
}
