import { type Entry, formatEntry, formatPassfile, parseLine } from './format.ts';

/** What a passfile looks like around its token. */
export interface PassfileLayout {
  /** The whole file with `password` in its place. */
  render(password: string): Buffer;
  /** The password in a file of this layout; `undefined` when it is not exactly what `render` makes. */
  passwordIn(content: Buffer): string | undefined;
  /** How many lines hold the password. */
  readonly managedLines: number;
  /** Whether a line of this layout says the same: the four fields of a managed one, or all of another. */
  has(line: RawLine): boolean;
}

/** A line of a passfile, without its end; every byte of it is one character. */
interface RawLine {
  readonly text: string;
  /** The fields in their usual spelling, if it has them. */
  readonly name: string | undefined;
}

/** Every byte as one character, so that what is not UTF-8 survives as well. */
export const BYTES = 'latin1';

/** One line an entry, in the given order, and nothing else. */
export function entriesLayout(entries: readonly Entry[]): PassfileLayout {
  const render = (password: string) => Buffer.from(formatPassfile(entries, password));
  const names = new Set(entries.map((entry) => Buffer.from(formatEntry(entry)).toString(BYTES)));
  return {
    render,
    managedLines: entries.length,
    has: ({ name }) => name !== undefined && names.has(name),
    passwordIn(content) {
      const [firstLine = ''] = content.toString().split('\n', 1);
      const password = parseLine(firstLine)?.password;
      return password !== undefined && render(password).equals(content) ? password : undefined;
    },
  };
}
