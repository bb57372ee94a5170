import type { Secret } from '../support/secret.ts';
import { replaceUnprintable, sanitize } from '../support/text.ts';
import { type Finding, firstWrong, isWrong, steps } from './step.ts';

export interface ReportOptions {
  readonly colour: boolean;
  /** The most columns of a line; SQL and commands are not wrapped, and may be wider. */
  readonly columns: number;
}

/**
 * The findings for people, step by step: what was found, what to do about it where it is wrong, and
 * at the end which to start with.
 */
export function renderReport(findings: readonly Finding[], options: ReportOptions): string {
  const paint = options.colour ? coloured : plain;
  const cause = firstWrong(findings);
  const lines = findings.flatMap((finding, index) => {
    const before = findings[index - 1];
    const spacious = before !== undefined && [before, finding].some(isWrong);
    const name = before?.step === finding.step ? '' : finding.step;
    const block = blockOf(finding, { name, isCause: finding === cause, ...options });
    return [...(spacious ? [''] : []), ...block.map((line) => line.map(paint).join(''))];
  });
  const end = summaryOf(findings, options.columns).map((line) => line.map(paint).join(''));
  return `${[...lines, '', ...end].join('\n')}\n`;
}

/** The findings for programs: one object, whose `cause` is the finding to start with. */
export function renderJson(findings: readonly Finding[]): string {
  const cause = firstWrong(findings) ?? null;
  return `${JSON.stringify({ ok: cause === null, cause, findings }, undefined, 2)}\n`;
}

/** The findings with secrets redacted, for both forms; only a remedy has several lines. */
export function sanitizeFindings(
  findings: readonly Finding[],
  secrets: readonly Secret[],
): readonly Finding[] {
  return findings.map((finding) => {
    const found = sanitize(finding.found, secrets);
    if (!isWrong(finding)) return { ...finding, found };
    const remedy = finding.remedy.split('\n').map((line) => sanitize(line, secrets));
    return { ...finding, found, remedy: remedy.join('\n') };
  });
}

/** A piece of a line, and its style. */
interface Piece {
  readonly text: string;
  readonly tone?: Tone | undefined;
}

type Tone = keyof typeof SGR;

/** The codes that switch each style on, and only that style off. */
const SGR = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39] } as const;

function coloured({ text, tone }: Piece): string {
  if (tone === undefined || text === '') return text;
  const [on, off] = SGR[tone];
  return `\u{1b}[${on}m${text}\u{1b}[${off}m`;
}

function plain({ text }: Piece): string {
  return text;
}

const marks = {
  ok: { text: '✓', tone: 'green' },
  wrong: { text: '✗', tone: 'red' },
  skipped: { text: '–', tone: 'dim' },
} as const satisfies Record<Finding['mark'], Piece>;

const ARROW = '→ ';
const NAME_COLUMNS = Math.max(...steps.map(widthOf));

/** The column of all text: after the mark, the step's name and the place of the arrow. */
const TEXT_INDENT = 2 + NAME_COLUMNS + 1 + widthOf(ARROW);

interface Block {
  readonly name: string;
  readonly isCause: boolean;
  readonly columns: number;
}

function blockOf(finding: Finding, { name, isCause, columns }: Block): Piece[][] {
  const room = columns - TEXT_INDENT;
  const tone = isCause ? 'bold' : finding.mark === 'skipped' ? 'dim' : undefined;
  const [first, ...others] = layOut(finding.found, room);
  const head: Piece[] = [
    marks[finding.mark],
    { text: ' ' },
    { text: `${name.padEnd(TEXT_INDENT - 2)}${first?.text ?? ''}`, tone },
  ];
  const rest = others.map((line) => indented(line, tone));
  return isWrong(finding)
    ? [head, ...rest, ...remedyLines(spaced(layOut(finding.remedy, room)))]
    : [head, ...rest];
}

function remedyLines([first, ...others]: readonly TextLine[]): Piece[][] {
  return [
    [
      { text: ' '.repeat(TEXT_INDENT - widthOf(ARROW)) },
      { text: ARROW, tone: 'green' },
      { text: first?.text ?? '' },
    ],
    ...others.map((line) => indented(line)),
  ];
}

/** Puts blank lines around SQL and commands. */
function spaced(lines: readonly TextLine[]): TextLine[] {
  return lines.flatMap((line, index) => {
    const before = lines[index - 1] ?? line;
    const close = before.text !== '' && line.text !== '';
    const blank = { text: '', verbatim: false };
    return close && before.verbatim !== line.verbatim ? [blank, line] : [line];
  });
}

/** SQL and commands keep their own indent; a larger one would push them past a terminal's edge. */
function indented({ text, verbatim }: TextLine, tone?: Tone): Piece[] {
  if (text === '') return [];
  return [{ text: verbatim ? '' : ' '.repeat(TEXT_INDENT) }, { text, tone }];
}

function summaryOf(findings: readonly Finding[], columns: number): Piece[][] {
  const cause = firstWrong(findings);
  if (cause === undefined) {
    const skipped = findings.filter(({ mark }) => mark === 'skipped').length;
    const rest = skipped === 0 ? '' : `; skipped: ${skipped}`;
    return [[{ text: `No problems found${rest}.`, tone: 'green' }]];
  }
  const wrongs = findings.filter(isWrong).length;
  const headline =
    wrongs === 1 ? '1 problem found.' : `${wrongs} problems found; the first may cause the others.`;
  const start = `Start with the ${cause.step}:`;
  const [first = '', ...others] = layOut(`${start} ${openingOf(cause.remedy)}`, columns).map(
    ({ text }) => text,
  );
  return [
    [{ text: headline, tone: 'red' }],
    [{ text: start, tone: 'bold' }, { text: first.slice(start.length) }],
    ...others.map((text) => [{ text }]),
  ];
}

/** The part before the SQL or the commands, if there are any. */
function openingOf(remedy: string): string {
  const [first = '', ...others] = remedy.split('\n');
  return others.length === 0 ? first : `${first.replace(/[.:]$/, '')} (see above).`;
}

/** A long word may be broken after these: URLs, subjects, lists without spaces. */
const JOINTS = '/:,;=';
/** A piece such as `https://` alone is too short. */
const SHORTEST_HEAD = 16;

/** A line of text as it is to be printed, without its indent. */
interface TextLine {
  readonly text: string;
  /** An indented line: SQL or a command, to be copied as it is. */
  readonly verbatim: boolean;
}

/**
 * Breaks a text into lines of at most `columns` code points, each taken to be one column wide, which
 * is true of our own texts. Indented lines, which hold SQL or commands, stay whole; unprintable
 * characters become U+FFFD.
 */
function layOut(text: string, columns: number): readonly TextLine[] {
  return text.split('\n').flatMap((line): TextLine[] => {
    const shown = replaceUnprintable(line.replaceAll('\t', '    ')).trimEnd();
    return shown.startsWith(' ')
      ? [{ text: shown, verbatim: true }]
      : wrap(shown, columns).map((wrapped) => ({ text: wrapped, verbatim: false }));
  });
}

/** Breaks at spaces; a word is broken only when it does not fit on a line of its own. */
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
function widthOf(text: string): number {
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

/** As much of a word as fits, up to a joint; empty when that would be too short. */
function headOf(word: string, columns: number): string {
  const points = [...word];
  const joint = points.findLastIndex((point, at) => at < columns && JOINTS.includes(point));
  return joint + 1 < SHORTEST_HEAD ? '' : points.slice(0, joint + 1).join('');
}
