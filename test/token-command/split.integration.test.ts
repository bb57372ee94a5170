import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitCommandLine } from '../../src/token-command/split.ts';
import { anyCharacter } from '../support/any-character.ts';

function argvOf(text: string): readonly string[] {
  const line = splitCommandLine(text);
  if ('problem' in line) throw new Error(line.problem);
  return line.argv;
}

function problemOf(text: string): string {
  const line = splitCommandLine(text);
  return 'problem' in line ? line.problem : `none, but ${JSON.stringify(line.argv)}`;
}

describe('a command line', () => {
  test.each<[string, string[]]>([
    ['az account get-access-token', ['az', 'account', 'get-access-token']],
    ['  az\t account\n get ', ['az', 'account', 'get']],
    [`sh -c 'vault read | jq'`, ['sh', '-c', 'vault read | jq']],
    [`a 'b c'"d e"\\ f`, ['a', 'b cd e f']],
    [`a '' ""`, ['a', '', '']],
    [`a 'b\\'`, ['a', 'b\\']],
    [`a "\\$b \\" \\\\ \\\` \\n \\'"`, ['a', `$b " \\ \` \\n \\'`]],
    ['a b\\\nc "d\\\ne" \\\n f', ['a', 'bc', 'de', 'f']],
    [`a "b\nc" 'd\ne'`, ['a', 'b\nc', 'd\ne']],
    [`a 'b\\"'"c"`, ['a', 'b\\"c']],
    ['a $HOME * ? ~ # {b,c}', ['a', '$HOME', '*', '?', '~', '#', '{b,c}']],
    ['a "$(b)" "`c`"', ['a', '$(b)', '`c`']],
    ['a \\| \\; \\& \\< \\>', ['a', '|', ';', '&', '<', '>']],
    ['a --query=x[?y] 🐘', ['a', '--query=x[?y]', '🐘']],
  ])('%j is split', (text, argv) => {
    expect(argvOf(text)).toEqual(argv);
  });

  test.each([...'|;&<>()`'])('with an unquoted %s says that there is no shell', (operator) => {
    expect(problemOf(`a b${operator}c`)).toBe(
      `quote ${operator}: there is no shell; where one is wanted write sh -c '…'`,
    );
  });

  test.each([
    [`a 'b`, "close the quotation that ' opens"],
    ['a "b', 'close the quotation that " opens'],
    ['a "b\\"', 'close the quotation that " opens'],
    [`a 'b'"c'`, 'close the quotation that " opens'],
    ['a b\\', 'write something after the backslash at the end'],
    ['', 'write a program and its arguments'],
    [' \n\t', 'write a program and its arguments'],
    [`'' a`, 'write a program and its arguments'],
  ])('%j is refused', (text, problem) => {
    expect(problemOf(text)).toBe(problem);
  });
});

const quotings: readonly ((word: string) => string)[] = [
  (word) => `'${word.replaceAll("'", `'\\''`)}'`,
  (word) => `"${word.replaceAll(/[$`"\\]/g, '\\$&')}"`,
  // Before a line break a backslash would join the lines.
  (word) => `''${word.replaceAll(/[^\w\n]/gu, '\\$&').replaceAll('\n', `'\n'`)}`,
];

test('whatever words are quoted, in whatever way, come back', () => {
  const word = fc.string({ unit: anyCharacter }).map((text) => text.replaceAll('\0', ''));
  const written = fc.record({
    word,
    quote: fc.constantFrom(...quotings),
    blanks: fc.constantFrom(' ', '\t', ' \n ', '\\\n '),
  });
  fc.assert(
    fc.property(fc.array(written), (args) => {
      const line = args.map((each) => each.blanks + each.quote(each.word)).join('');
      expect(argvOf(`program${line}`)).toEqual(['program', ...args.map((each) => each.word)]);
    }),
  );
});

test('sh splits in the same way', () => {
  const text = fc.string({ unit: fc.constantFrom(...'\'\'""\\\\ \tab%-=:/'.split('')) });
  fc.assert(
    fc.property(text, (args) => {
      const line = splitCommandLine(`program ${args}`);
      // What a backslash at the very end means, POSIX leaves open.
      fc.pre(!('problem' in line && line.problem.includes('backslash')));
      expect('problem' in line ? undefined : line.argv).toEqual(splitBySh(`program ${args}`));
    }),
    { numRuns: 200 },
  );
});

function splitBySh(text: string): string[] | undefined {
  try {
    const printed = execFileSync('sh', ['-c', `printf '%s\\0' ${text}`], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return printed.split('\0').slice(0, -1);
  } catch {
    return undefined;
  }
}
