/** A program and its arguments. */
export type Argv = readonly [program: string, ...args: string[]];

/** What a command line says, or what is wrong with it in a sentence without a full stop. */
export type CommandLine = { readonly argv: Argv } | { readonly problem: string };

/** One step through a command line; `rest` is a character that begins nothing of the others. */
const PIECE =
  /(?<blank>[ \t\n]+)|(?<joined>\\\n)|\\(?<escaped>.)|'(?<literal>[^']*)'|"(?<quoted>(?:[^"\\]|\\.)*)"|(?<plain>[^ \t\n\\'"|&;<>()`]+)|(?<rest>.)/gsu;

/** Inside "…" a backslash escapes these and joins lines; before anything else it stands for itself. */
const ESCAPED_IN_QUOTES = /\\(?:\n|([$`"\\]))/g;

/**
 * Splits a command line into words as POSIX sh does, with its quotes and backslashes:
 * https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_02
 * Nothing is expanded: `$HOME` and `*` stay as they are. What would need a shell is a problem.
 */
export function splitCommandLine(text: string): CommandLine {
  const words: string[] = [];
  let word: string | undefined;
  for (const { groups = {} } of text.matchAll(PIECE)) {
    const { blank, joined, escaped, literal, quoted, plain, rest } = groups;
    if (rest !== undefined) return { problem: problemWith(rest) };
    if (joined !== undefined) continue;
    if (blank === undefined) {
      const unquoted = quoted?.replaceAll(ESCAPED_IN_QUOTES, '$1');
      word = `${word ?? ''}${escaped ?? literal ?? unquoted ?? plain}`;
    } else if (word !== undefined) {
      words.push(word);
      word = undefined;
    }
  }
  if (word !== undefined) words.push(word);
  const [program, ...args] = words;
  return program ? { argv: [program, ...args] } : { problem: 'write a program and its arguments' };
}

function problemWith(character: string): string {
  if (character === "'" || character === '"') return `close the quotation that ${character} opens`;
  if (character === '\\') return 'write something after the backslash at the end';
  return `quote ${character}: there is no shell; where one is wanted write sh -c '…'`;
}
