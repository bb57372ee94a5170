import { type Finding, firstWrong, isWrong, steps } from '../finding.ts';
import { layOut, type TextLine, widthOf } from './wrap.ts';

export interface ReportOptions {
  readonly colour: boolean;
  /** How wide it may get; lines of SQL and commands stay whole and may be wider. */
  readonly columns: number;
}

/**
 * The findings for a person, step by step: what was found, what to do about it where it is wrong,
 * and at the end what to start with.
 */
export function renderReport(findings: readonly Finding[], options: ReportOptions): string {
  const paint = options.colour ? coloured : plain;
  const cause = firstWrong(findings);
  const lines = findings.flatMap((finding, index) => {
    const before = findings[index - 1];
    const airy = before !== undefined && [before, finding].some(isWrong);
    const name = before?.step === finding.step ? '' : finding.step;
    const block = blockOf(finding, { name, isCause: finding === cause, ...options });
    return [...(airy ? [''] : []), ...block.map((line) => line.map(paint).join(''))];
  });
  const end = summaryOf(findings, options.columns).map((line) => line.map(paint).join(''));
  return `${[...lines, '', ...end].join('\n')}\n`;
}

/** The findings for programs: one object, which also says what to start with. */
export function renderJson(findings: readonly Finding[]): string {
  const cause = firstWrong(findings) ?? null;
  return `${JSON.stringify({ ok: cause === null, cause, findings }, undefined, 2)}\n`;
}

/** A piece of a line, and how it stands out. */
interface Piece {
  readonly text: string;
  readonly tone?: Tone | undefined;
}

type Tone = keyof typeof SGR;

/** What switches each on and off again, and nothing else with it. */
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

/** Behind the mark, the name and the arrow's place, so that all that is to be read is in one column. */
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
    ? [head, ...rest, ...adviceLines(spaced(layOut(finding.remedy, room)))]
    : [head, ...rest];
}

function adviceLines([first, ...others]: readonly TextLine[]): Piece[][] {
  return [
    [
      { text: ' '.repeat(TEXT_INDENT - widthOf(ARROW)) },
      { text: ARROW, tone: 'green' },
      { text: first?.text ?? '' },
    ],
    ...others.map((line) => indented(line)),
  ];
}

/** Blank lines around what is to be copied. */
function spaced(lines: readonly TextLine[]): TextLine[] {
  return lines.flatMap((line, index) => {
    const before = lines[index - 1] ?? line;
    const close = before.text !== '' && line.text !== '';
    const blank = { text: '', verbatim: false };
    return close && before.verbatim !== line.verbatim ? [blank, line] : [line];
  });
}

/** What is to be copied has an indent of its own; a larger one would push it over a terminal's edge. */
function indented({ text, verbatim }: TextLine, tone?: Tone): Piece[] {
  if (text === '') return [];
  return [{ text: verbatim ? '' : ' '.repeat(TEXT_INDENT) }, { text, tone }];
}

function summaryOf(findings: readonly Finding[], columns: number): Piece[][] {
  const cause = firstWrong(findings);
  if (cause === undefined) {
    const skipped = findings.filter(({ mark }) => mark === 'skipped').length;
    const rest = skipped === 0 ? '' : `; not looked at: ${skipped}`;
    return [[{ text: `Everything is as it should be${rest}.`, tone: 'green' }]];
  }
  const wrongs = findings.filter(isWrong).length;
  const verdict =
    wrongs === 1
      ? 'One thing is wrong.'
      : `${wrongs} things are wrong; the first may explain the rest.`;
  const start = `Start with the ${cause.step}:`;
  const [first = '', ...others] = layOut(`${start} ${openingOf(cause.remedy)}`, columns).map(
    ({ text }) => text,
  );
  return [
    [{ text: verdict, tone: 'red' }],
    [{ text: start, tone: 'bold' }, { text: first.slice(start.length) }],
    ...others.map((text) => [{ text }]),
  ];
}

/** What comes before the SQL or the commands, if there are any. */
function openingOf(remedy: string): string {
  const [first = '', ...others] = remedy.split('\n');
  return others.length === 0 ? first : `${first.replace(/[.:]$/, '')} (see above).`;
}
