import { stripVTControlCharacters, styleText } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fold, parseAnsi, plainStyle, type Span } from './ansi.ts';

const plain = (text: string): Span => ({ text, ...plainStyle });
const textOf = (lines: readonly Span[][]) =>
  lines.map((line) => line.map(({ text }) => text).join('')).join('\n');

describe('what a terminal shows', () => {
  test.each<[string, string, Span[][]]>([
    ['no colours', 'one\ntwo', [[plain('one')], [plain('two')]]],
    ['an empty line', 'one\n\n', [[plain('one')], [], []]],
    [
      'a colour and its end',
      '\u{1b}[31m✗\u{1b}[39m no',
      [[{ ...plain('✗'), colour: 'red' }, plain(' no')]],
    ],
    [
      'two styles at once',
      '\u{1b}[1;32mboth\u{1b}[22m one\u{1b}[m none',
      [
        [
          { text: 'both', bold: true, dim: false, colour: 'green' },
          { text: ' one', bold: false, dim: false, colour: 'green' },
          plain(' none'),
        ],
      ],
    ],
    [
      'a style that goes on in the next line',
      '\u{1b}[2mone\ntwo',
      [[{ ...plain('one'), dim: true }], [{ ...plain('two'), dim: true }]],
    ],
  ])('%s', (_, text, lines) => {
    expect(parseAnsi(text)).toEqual(lines);
  });

  test.each([
    ['a movement of the cursor', '\u{1b}[2J'],
    ['a title', '\u{1b}]0;title\u{7}'],
    ['a style that is not drawn', '\u{1b}[4m'],
  ])('%s is refused, for the picture would be wrong', (_, text) => {
    expect(() => parseAnsi(text)).toThrow('no style');
  });

  test('text is the same without its styles', () => {
    const style = fc.constantFrom('bold', 'dim', 'red', 'green', 'reset');
    const styled = fc
      .tuple(style, fc.string({ unit: fc.constantFrom(...'ab ✓\n') }))
      .map(([name, text]) => styleText(name, text, { validateStream: false }));
    fc.assert(
      fc.property(fc.array(styled), (pieces) => {
        const text = pieces.join('');
        expect(textOf(parseAnsi(text))).toBe(stripVTControlCharacters(text));
      }),
    );
  });
});

describe('lines longer than the terminal', () => {
  test('go on below, style and all', () => {
    expect(fold(parseAnsi('ab\u{1b}[1mcdef\u{1b}[22mg\nh'), 3)).toEqual([
      [plain('ab'), { ...plain('c'), bold: true }],
      [{ ...plain('def'), bold: true }],
      [plain('g')],
      [plain('h')],
    ]);
  });

  test('that fit exactly stay one line', () => {
    expect(fold(parseAnsi('abc\n\nabc'), 3)).toHaveLength(3);
  });
});
