/** Control characters, marks that turn the direction of writing, half characters, ends of lines. */
export const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/u;

const EVERY_UNPRINTABLE = new RegExp(UNPRINTABLE, 'gu');

/** `text` without what would steer a terminal or hide itself. */
export function printable(text: string): string {
  return text.replaceAll(EVERY_UNPRINTABLE, '\ufffd');
}

const LONGEST_TEXT = 300;

/** What others wrote and nobody verified, such as a token's claims: printable, and of bounded length. */
export function boundedText(text: string): string {
  const start = text.slice(0, LONGEST_TEXT);
  return start === text ? printable(start) : `${printable(start)}…`;
}

/** The beginning of every JWT, `{"`, and what follows. */
const ANY_JWT = /\beyJ[\w.-]+/g;

/** `text` with every JWT, or the beginning of one, replaced by `[redacted]`. */
export function withoutJwts(text: string): string {
  return text.replaceAll(ANY_JWT, '[redacted]');
}
