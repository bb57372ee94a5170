import { styleText } from 'node:util';
import type { Connect } from './client-loop.ts';
import type { DaemonLine } from './daemon.ts';
import {
  type ConnectTally,
  count,
  type DemoEvent,
  emptyTally,
  type Tally,
  type TokenLife,
} from './tally.ts';

export const SCREEN_COLUMNS = 80;

/** A line about something that happened. */
export interface ShownEvent {
  readonly atMs: number;
  readonly source: string;
  readonly text: string;
  readonly tone: 'plain' | 'good' | 'bad';
}

/** Everything that the screen shows. */
export interface ScreenState {
  readonly beganMs: number;
  readonly client: string;
  readonly tally: Tally;
  /** The oldest first, and no more than fit a screen. */
  readonly events: readonly ShownEvent[];
}

const REMEMBERED_EVENTS = 20;

export function emptyScreen(beganMs: number, client: string): ScreenState {
  return { beganMs, client, tally: emptyTally, events: [] };
}

export function advance(state: ScreenState, event: DemoEvent): ScreenState {
  const shown = shownEventOf(state, event);
  return {
    ...state,
    tally: count(state.tally, event),
    events: shown ? [...state.events, shown].slice(-REMEMBERED_EVENTS) : state.events,
  };
}

/** What to show of an event; most connects are only counted. */
export function shownEventOf(state: ScreenState, event: DemoEvent): ShownEvent | undefined {
  const { kind, atMs } = event;
  switch (kind) {
    case 'demo':
      return { atMs, source: kind, text: event.text, tone: 'plain' };
    case 'kubelet':
      return { atMs, source: kind, text: 'rotated the federated token', tone: 'plain' };
    case 'pgpassd':
      return { atMs, source: kind, ...shownLine(event.line) };
    case 'metrics':
      return undefined;
    case 'client': {
      const text = connectText(event.connect, state.tally);
      if (text === undefined) return undefined;
      return { atMs, source: state.client, text, tone: event.connect.ok ? 'good' : 'bad' };
    }
  }
}

/** At level debug a failure is the same as before: its number says more than its text. */
function shownLine(line: DaemonLine): Pick<ShownEvent, 'text' | 'tone'> {
  const { level, event, message, failures, nextTryInMs } = line;
  if (event === 'refresh.failed' && level === 'debug') {
    const next = nextTryInMs === undefined ? '' : `; next try in ${seconds(nextTryInMs)}`;
    return { text: `attempt ${failures} failed in the same way${next}`, tone: 'bad' };
  }
  if (level === 'warn' || level === 'error' || level === 'fatal')
    return { text: message, tone: 'bad' };
  return { text: message, tone: event === 'token.refreshed' ? 'good' : 'plain' };
}

function connectText({ ok, tookMs, error }: Connect, { connects }: Tally): string | undefined {
  if (!ok) return `connect failed: ${error}`;
  if (connects.last === undefined)
    return `logged in for the first time, in ${Math.round(tookMs)} ms`;
  return connects.last.ok ? undefined : 'logged in again';
}

const LABEL_COLUMNS = 18;
const BAR_CELLS = 40;
const FEWEST_EVENTS = 2;
const MOST_EVENTS = 10;

/** The whole screen: coloured lines of at most 80 columns. Events get the rows that are left. */
export function drawScreen(state: ScreenState, nowMs: number, rows: number): string[] {
  const { tally, client } = state;
  const above = [
    titleLine(`pgpassd keeps the passfile of ${client} current`, seconds(nowMs - state.beganMs)),
    '',
    row('access token', tokenCells(tally.accessToken, nowMs)),
    row('federated token', tokenCells(tally.federatedToken, nowMs)),
    row('rotations', rotationCells(state)),
    '',
    row('connects', connectCells(tally.connects)),
    row('', tally.connects.recent.map(mark).join('')),
    '',
    ...failureLines(state),
  ];
  const below = ['', paint('dim', ' Ctrl-C ends the demo and prints a summary.')];
  const room = rows - above.length - below.length;
  const events = state.events.slice(-Math.min(MOST_EVENTS, Math.max(room, FEWEST_EVENTS)));
  return [...above, ...events.map((event) => eventCells(event, state.beganMs)), ...below];
}

/** One line for a log: without colours, and never cut. */
export function eventLine({ atMs, source, text }: ShownEvent, beganMs: number): string {
  return `${stamp(atMs - beganMs)}  ${source.padEnd(9)} ${text}`;
}

/** The state in one line, for output that is not a terminal. */
export function statusLine({ tally, beganMs }: ScreenState, nowMs: number): string {
  const { accessToken, accessTokenRotations, federatedTokenRotations, failedRefreshes, connects } =
    tally;
  const left = accessToken ? `${seconds(accessToken.expiresAtMs - nowMs)} left` : 'no token yet';
  const rotated = `rotated ${accessTokenRotations} (federated ${federatedTokenRotations})`;
  const failed = failedRefreshes === 0 ? '' : `, failed refreshes ${failedRefreshes}`;
  const text = `${left}, ${rotated}${failed}, connects ${connects.ok} ok, ${connects.failed} failed`;
  return `${stamp(nowMs - beganMs)}  ${'status'.padEnd(9)} ${text}`;
}

function stamp(sinceMs: number): string {
  return seconds(sinceMs).padStart(9);
}

function titleLine(title: string, elapsed: string): string {
  const room = SCREEN_COLUMNS - elapsed.length - 2;
  return ` ${paint('bold', clip(title, room - 1).padEnd(room))}${paint('dim', elapsed)}`;
}

function row(label: string, cells: string): string {
  return ` ${paint('dim', label.padEnd(LABEL_COLUMNS - 1))}${cells}`;
}

function tokenCells(life: TokenLife | undefined, nowMs: number): string {
  if (life === undefined) return paint('dim', `${'─'.repeat(BAR_CELLS)}  none yet`);
  const leftMs = life.expiresAtMs - nowMs;
  const text = leftMs > 0 ? `${seconds(leftMs)} left` : 'expired';
  return `${bar(life, nowMs)}  ${paint(leftMs > 0 ? 'bold' : ['bold', 'red'], text)}`;
}

/** The rest of a token's life, with a notch where its refresh is due. */
function bar({ sinceMs, expiresAtMs, refreshAtMs }: TokenLife, nowMs: number): string {
  const lifeMs = expiresAtMs - sinceMs;
  const cellsAt = (ms: number) => Math.round(((expiresAtMs - ms) / lifeMs) * BAR_CELLS);
  const filled = Math.min(BAR_CELLS, Math.max(0, cellsAt(nowMs)));
  const notch = refreshAtMs === undefined ? -1 : cellsAt(refreshAtMs);
  const cells = Array.from({ length: BAR_CELLS }, (_, cell) => {
    if (cell === notch) return cell < filled ? '┿' : '┼';
    return cell < filled ? '━' : '─';
  }).join('');
  const tone = filled > BAR_CELLS / 4 ? 'green' : 'red';
  return paint(tone, cells.slice(0, filled)) + paint('dim', cells.slice(filled));
}

function rotationCells({ tally }: ScreenState): string {
  const { accessTokenRotations, federatedTokenRotations, failedRefreshes } = tally;
  const rotated = `access token ${accessTokenRotations}, federated token ${federatedTokenRotations}`;
  return failedRefreshes === 0
    ? rotated
    : `${rotated}, ${paint('red', `failed refreshes ${failedRefreshes}`)}`;
}

function connectCells({ ok, failed, last }: ConnectTally): string {
  if (last === undefined) return paint('dim', 'none until the first token is in place');
  const failures = paint(failed > 0 ? ['bold', 'red'] : 'dim', `${failed} failed`);
  const took = paint('dim', `the last took ${Math.round(last.tookMs)} ms`);
  return `${paint('green', `${ok} ok`)}, ${failures}, ${took}`;
}

function mark(ok: boolean): string {
  return ok ? paint('green', '▪') : paint('red', '✗');
}

function failureLines({ tally }: ScreenState): string[] {
  const { failing, lastFailure } = tally;
  if (!failing || lastFailure === undefined) return [];
  const indent = (line: string) => `   ${line}`;
  return [
    ...wrap(lastFailure.message, SCREEN_COLUMNS - 4).map((line) => paint('red', indent(line))),
    ...wrap(lastFailure.remedy, SCREEN_COLUMNS - 4).map((line) => paint('yellow', indent(line))),
    '',
  ];
}

function eventCells(event: ShownEvent, beganMs: number): string {
  const { atMs, tone } = event;
  const line = clip(eventLine(event, beganMs), SCREEN_COLUMNS - 1);
  const time = stamp(atMs - beganMs);
  return paint('dim', time) + paint(tones[tone], line.slice(time.length));
}

const tones = { plain: 'reset', good: 'green', bad: 'red' } as const;

type Style = Parameters<typeof styleText>[0];

/** Coloured for every terminal; `terminal.ts` removes the colours where they are not wanted. */
function paint(style: Style, text: string): string {
  return styleText(style, text, { validateStream: false });
}

export function seconds(ms: number): string {
  return `${(Math.max(0, ms) / 1000).toFixed(1)} s`;
}

function clip(text: string, columns: number): string {
  return text.length > columns ? `${text.slice(0, columns - 1)}…` : text;
}

/** Breaks at blanks; a word longer than a line is cut. */
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
