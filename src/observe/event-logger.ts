import type { RefreshEvent } from '../refresh/events.ts';
import type { Clock } from '../support/clock.ts';
import { describeEvent, type LogLine } from './describe.ts';
import type { Log } from './log.ts';

/** How many lines of one kind are logged at their own level within a time. */
interface Limit {
  readonly lines: number;
  readonly withinMs: number;
}

const WINDOW_MS = 60_000;

/** Rotations, template changes and signals come from outside, and may come at any rate. */
const usual: Limit = { lines: 5, withinMs: WINDOW_MS };

/** Without a valid token, retries repeat the same failure every few seconds. */
const sameFailure: Limit = { lines: 1, withinMs: WINDOW_MS };

/** A watch failure affects every file and does not pass, so it is logged once. */
const onlyOnce: Limit = { lines: 1, withinMs: Number.POSITIVE_INFINITY };

interface Window {
  readonly openedAtMs: number;
  readonly logged: number;
  readonly suppressed: number;
}

/**
 * Logs events. Lines over the limit of their kind are logged at level debug; the next line within the
 * limit says how many those were.
 */
export function createEventLogger(clock: Clock, log: Log): (event: RefreshEvent) => void {
  const limited = createLimiter(clock);
  return (event) => log(limited(event, describeEvent(event)));
}

function createLimiter(clock: Clock): (event: RefreshEvent, line: LogLine) => LogLine {
  const windows = new Map<string, Window>();
  return (event, line) => {
    if (line.level === 'debug') return line;
    if (event.type === 'token.refreshed') forgetFailures(windows);
    const key = limitKey(event, line);
    const limit = limitOf(event);
    const nowMs = clock.now().monotonicMs;
    const last = windows.get(key);
    const isOpen = last !== undefined && nowMs - last.openedAtMs < limit.withinMs;
    if (isOpen && last.logged >= limit.lines) {
      windows.set(key, { ...last, suppressed: last.suppressed + 1 });
      return { ...line, level: 'debug' };
    }
    // A different failure is news, and so is the earlier one when it returns.
    if (limit === sameFailure && !isOpen) forgetFailures(windows);
    windows.set(key, isOpen ? { ...last, logged: last.logged + 1 } : openedAt(nowMs));
    return last === undefined || isOpen ? line : summedUp(line, last.suppressed);
  };
}

function openedAt(nowMs: number): Window {
  return { openedAtMs: nowMs, logged: 1, suppressed: 0 };
}

const FAILURE = 'refresh.failed';

/** The key under which events are counted together. */
function limitKey(event: RefreshEvent, { level }: LogLine): string {
  switch (event.type) {
    case 'federated-token.changed':
      return `${event.type} ${event.refreshing}`;
    case 'template.rejected':
    case 'passfile.repair-failed':
      return `${event.type} ${event.error.code}`;
    case 'passfile.repaired':
      return `${event.type} ${event.damage}`;
    case 'refresh.failed':
      return `${FAILURE} ${level} ${event.error.code} ${event.error.details.aadsts}`;
    default:
      return event.type;
  }
}

function limitOf(event: RefreshEvent): Limit {
  if (event.type === 'watch.failed') return onlyOnce;
  return event.type === 'refresh.failed' && event.token === undefined ? sameFailure : usual;
}

function forgetFailures(windows: Map<string, Window>): void {
  for (const key of windows.keys()) if (key.startsWith(FAILURE)) windows.delete(key);
}

function summedUp(line: LogLine, suppressed: number): LogLine {
  if (suppressed === 0) return line;
  return {
    ...line,
    message: `${line.message} (${suppressed} more since this was last logged)`,
    fields: { ...line.fields, suppressed },
  };
}
