import { type Entry, formatPassfile, parseLine } from './format.ts';

/** What a passfile looks like around its token. */
export interface PassfileLayout {
  /** The whole file with `password` in its place. */
  render(password: string): Buffer;
  /** The password in a file of this layout; `undefined` when it is not exactly what `render` makes. */
  passwordIn(content: Buffer): string | undefined;
}

/** One line an entry, in the given order, and nothing else. */
export function entriesLayout(entries: readonly Entry[]): PassfileLayout {
  const render = (password: string) => Buffer.from(formatPassfile(entries, password));
  return {
    render,
    passwordIn(content) {
      const [firstLine = ''] = content.toString().split('\n', 1);
      const password = parseLine(firstLine)?.password;
      return password !== undefined && render(password).equals(content) ? password : undefined;
    },
  };
}
