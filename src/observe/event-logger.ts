import type { Damage, RefreshEvent, TokenInPlace } from '../refresh/events.ts';
import type { Clock } from '../support/clock.ts';
import { type PgpassdError, systemErrorCode } from '../support/errors.ts';
import { STILL_VERIFIED } from '../support/network.ts';
import type { Secret } from '../support/secret.ts';
import { duration, sanitize, seconds } from '../support/text.ts';
import type { Level, Log, LogLine } from './log.ts';

/** While more than this share of its life is left, clients notice nothing of a failure. */
const COMFORTABLE_SHARE = 0.25;

/** The log line for an event: level, message, and fields for machines. */
export function describeEvent(event: RefreshEvent): LogLine {
  switch (event.type) {
    case 'passfile.swept':
      return line('info', event, 'removed temporary files left by an interrupted write', {
        files: event.files,
      });
    case 'passfile.adopted':
      return line(
        'info',
        event,
        `adopted the existing passfile; its token is ${validity(event.token)}`,
        {
          ...tokenFields(event.token),
          nextRefreshInSeconds: seconds(event.refreshInMs),
        },
      );
    case 'passfile.written':
      return line('info', event, 'wrote the passfile');
    case 'passfile.unchanged':
      return line('info', event, 'the passfile already holds this token');
    case 'refresh.started':
      return line('debug', event, 'requesting a token', { cause: event.cause });
    case 'exchange.ended':
      return line(
        'debug',
        event,
        event.succeeded ? 'the token request succeeded' : 'the token request failed',
        {
          succeeded: event.succeeded,
          tookSeconds: seconds(event.tookMs),
        },
      );
    case 'token.refreshed':
      return line('info', event, `obtained a token, ${validity(event.token)}`, {
        ...tokenFields(event.token),
        nextRefreshInSeconds: seconds(event.refreshInMs),
        tookSeconds: seconds(event.tookMs),
      });
    case 'token.unchanged':
      return line(
        levelOf(event.token),
        event,
        `the source returned no newer token; the current one is ${validity(event.token)}`,
        {
          ...tokenFields(event.token),
          nextRefreshInSeconds: seconds(event.refreshInMs),
        },
      );
    case 'refresh.failed':
      return describeFailure(event);
    case 'refresh.recovered':
      return line(
        'info',
        event,
        `recovered after ${attempts(event.failures)} in ${duration(event.lastedMs)}`,
        {
          failures: event.failures,
          lastedSeconds: seconds(event.lastedMs),
        },
      );
    case 'federated-token.found':
      return line('info', event, 'found the federated token', federatedFields(event));
    case 'federated-token.changed':
      return line('info', event, 'the federated token changed', federatedFields(event));
    case 'verification.kept':
      return line('warn', event, STILL_VERIFIED);
    case 'template.changed':
      return line('info', event, 'the template changed');
    case 'template.rejected':
      return line(
        'error',
        event,
        `${asSentences(event.error)} The last valid template stays in use.`,
        {
          reason: event.error.code,
          remedy: event.error.remedy,
        },
      );
    case 'token-command.said':
      return line('debug', event, event.text);
    case 'watch.failed':
      return line('warn', event, watchFailure(event.error), { what: event.what });
    case 'passfile.repaired':
      return line('warn', event, `${damages[event.damage]}; restored it`, {
        damage: event.damage,
        repairs: event.repairs,
        ...(event.displacedTo !== undefined && { displacedTo: event.displacedTo }),
      });
    case 'passfile.kept':
      return line(
        'warn',
        event,
        `the existing passfile was not written by pgpassd; it is kept as ${event.keptAs}`,
        { keptAs: event.keptAs },
      );
    case 'passfile.contested':
      return line(
        'error',
        event,
        `another process keeps changing the passfile: ${event.repairsInAMinute} times within a minute. Find it (a second pgpassd, a start-up script), or mount the volume read-only in the other containers. Until then the passfile is restored every 10 s.`,
        { repairsInAMinute: event.repairsInAMinute },
      );
    case 'passfile.repair-failed':
      return line('error', event, asSentences(event.error), {
        reason: event.error.code,
        remedy: event.error.remedy,
      });
  }
}

const damages: Readonly<Record<Damage, string>> = {
  missing: 'the passfile was removed',
  'not-a-file': 'the passfile was replaced by something that is not a regular file',
  owner: 'the owner of the passfile was changed',
  mode: 'the mode of the passfile was changed',
  content: 'the content of the passfile was changed',
};

function watchFailure(error: unknown): string {
  const code = systemErrorCode(error) ?? 'unknown error';
  return `cannot watch files for changes (${code}), so they are checked every 30 s; ${watchRemedies[code] ?? 'check whether their file system supports inotify'}`;
}

const watchRemedies: Readonly<Record<string, string>> = {
  EMFILE: 'raise fs.inotify.max_user_instances on the node, or the limit of open files',
  ENFILE: 'raise fs.file-max on the node',
  ENOSPC: 'raise fs.inotify.max_user_watches on the node',
};

type RefreshFailed = Extract<RefreshEvent, { type: 'refresh.failed' }>;

function describeFailure(event: RefreshFailed): LogLine {
  const { error, failures, token, retryInMs } = event;
  const message = `${asSentences(error)} ${effect(event)}; next attempt in ${duration(retryInMs)}.`;
  return line(failureLevel(event), event, message, {
    reason: error.code,
    failures,
    remedy: error.remedy,
    ...error.details,
    ...tokenFields(token),
    nextTryInSeconds: seconds(retryInMs),
  });
}

function effect({ token, expiredForMs }: RefreshFailed): string {
  if (token !== undefined) return `The current token is ${validity(token)}`;
  return expiredForMs === undefined
    ? 'There is no token yet, so clients cannot connect'
    : `The current token expired ${duration(expiredForMs)} ago, so clients cannot connect`;
}

function failureLevel({ token, expiredForMs }: RefreshFailed): Level {
  if (token === undefined) return expiredForMs === undefined ? 'error' : 'fatal';
  return isComfortable(token) ? 'warn' : 'error';
}

function levelOf(token: TokenInPlace): Level {
  return isComfortable(token) ? 'info' : 'warn';
}

function isComfortable({ remainingMs, lifeMs }: TokenInPlace): boolean {
  return remainingMs > COMFORTABLE_SHARE * lifeMs;
}

/** What failed, then what to do. */
export function asSentences({ message, remedy }: PgpassdError): string {
  return `${message}${message.endsWith('.') ? '' : '.'} ${remedy}`;
}

function attempts(failures: number): string {
  return failures === 1 ? 'a failed attempt' : `${failures} failed attempts`;
}

function validity(token: TokenInPlace | undefined): string {
  return token === undefined ? 'already expired' : `valid for ${duration(token.remainingMs)}`;
}

function tokenFields(token: TokenInPlace | undefined): Record<string, unknown> {
  if (token === undefined) return { tokenValidForSeconds: 0 };
  return {
    tokenExpiresAt: isoTime(token.expiresAtMs),
    tokenValidForSeconds: seconds(token.remainingMs),
  };
}

function federatedFields({
  identity,
  expiresAtMs,
  refreshing,
}: Extract<RefreshEvent, { type: 'federated-token.found' | 'federated-token.changed' }>) {
  return {
    ...identity,
    ...(expiresAtMs !== undefined && { federatedTokenExpiresAt: isoTime(expiresAtMs) }),
    refreshing,
  };
}

function line(
  level: Level,
  { type }: RefreshEvent,
  message: string,
  fields: Record<string, unknown> = {},
): LogLine {
  return { level, event: type, message, fields };
}

export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

/** Of a list, such as a token's audiences. */
const MOST_ELEMENTS = 20;

const LONGEST_FIELD = 1_000;

/** A line as it may be logged: every text in it printable, of bounded length and without a secret. */
export function sanitizeLine(line: LogLine, secrets: readonly Secret[]): LogLine {
  const { level, event, message, fields } = line;
  return {
    level,
    event,
    message: sanitize(message, secrets),
    fields: Object.fromEntries(
      Object.entries(fields).map(([name, value]) => [name, sanitizeField(value, secrets)]),
    ),
  };
}

function sanitizeField(value: unknown, secrets: readonly Secret[]): unknown {
  if (typeof value === 'string') return sanitize(value, secrets, LONGEST_FIELD);
  if (!Array.isArray(value)) return value;
  const shown = value.slice(0, MOST_ELEMENTS).map((each) => sanitizeField(each, secrets));
  return value.length > MOST_ELEMENTS ? [...shown, '…'] : shown;
}

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
