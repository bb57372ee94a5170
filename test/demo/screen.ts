import type { Event, Scene } from './scene.ts';
import type { ConnectTally, TokenLife } from './tally.ts';
import { clip, paint, SCREEN_COLUMNS, seconds, wrap } from './text.ts';

const LABEL_COLUMNS = 18;
const BAR_CELLS = 40;
const FEWEST_EVENTS = 2;
const MOST_EVENTS = 10;

/**
 * The whole screen, top to bottom; its lines have colours, and no more than 80 columns. Events get
 * the rows that the rest leaves.
 */
export function drawScreen(scene: Scene, nowMs: number, rows: number): string[] {
  const { tally, client } = scene;
  const above = [
    titleLine(`pgpassd keeps the passfile of ${client} current`, seconds(nowMs - scene.beganMs)),
    '',
    row('access token', tokenCells(tally.accessToken, nowMs)),
    row('federated token', tokenCells(tally.federatedToken, nowMs)),
    row('rotations', rotationCells(scene)),
    '',
    row('connects', connectCells(tally.connects)),
    row('', tally.connects.recent.map(mark).join('')),
    '',
    ...troubleLines(scene),
  ];
  const below = ['', paint('dim', ' Ctrl-C ends the demo and sums up what it has shown.')];
  const room = rows - above.length - below.length;
  const events = scene.events.slice(-Math.min(MOST_EVENTS, Math.max(room, FEWEST_EVENTS)));
  return [...above, ...events.map((event) => eventCells(event, scene.beganMs)), ...below];
}

/** One line for a log: no colours, nothing cut. */
export function eventLine({ atMs, source, text }: Event, beganMs: number): string {
  return `${stamp(atMs - beganMs)}  ${source.padEnd(9)} ${text}`;
}

/** The state in one line, for where no screen can be drawn. */
export function statusLine({ tally, beganMs }: Scene, nowMs: number): string {
  const { accessToken, accessTokenRotations, federatedTokenRotations, connects } = tally;
  const left = accessToken ? `${seconds(accessToken.expiresAtMs - nowMs)} left` : 'no token yet';
  const rotated = `rotated ${accessTokenRotations} (federated ${federatedTokenRotations})`;
  const state = `${left}, ${rotated}, connects ${connects.ok} ok, ${connects.failed} failed`;
  return `${stamp(nowMs - beganMs)}  ${'status'.padEnd(9)} ${state}`;
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

/** What is left of a life, with a notch where the refresh is due. */
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

function rotationCells({ tally }: Scene): string {
  const { accessTokenRotations, federatedTokenRotations, failedRefreshes } = tally;
  const rotated = `access token ${accessTokenRotations}, federated token ${federatedTokenRotations}`;
  return failedRefreshes === 0
    ? rotated
    : `${rotated}, ${paint('red', `failed refreshes ${failedRefreshes}`)}`;
}

function connectCells({ ok, failed, last }: ConnectTally): string {
  if (last === undefined) return paint('dim', 'none before the first token is in place');
  const failures = paint(failed > 0 ? ['bold', 'red'] : 'dim', `${failed} failed`);
  const took = paint('dim', `the last took ${Math.round(last.tookMs)} ms`);
  return `${paint('green', `${ok} ok`)}, ${failures}, ${took}`;
}

function mark(ok: boolean): string {
  return ok ? paint('green', '▪') : paint('red', '✗');
}

function troubleLines({ tally }: Scene): string[] {
  const { troubled, lastTrouble } = tally;
  if (!troubled || lastTrouble === undefined) return [];
  const indent = (line: string) => `   ${line}`;
  return [
    ...wrap(lastTrouble.message, SCREEN_COLUMNS - 4).map((line) => paint('red', indent(line))),
    ...wrap(lastTrouble.remedy, SCREEN_COLUMNS - 4).map((line) => paint('yellow', indent(line))),
    '',
  ];
}

function eventCells(event: Event, beganMs: number): string {
  const { atMs, tone } = event;
  const line = clip(eventLine(event, beganMs), SCREEN_COLUMNS - 1);
  const time = stamp(atMs - beganMs);
  return paint('dim', time) + paint(tones[tone], line.slice(time.length));
}

const tones = { plain: 'reset', good: 'green', bad: 'red' } as const;
