import type { Damage, RefreshEvent, TokenInPlace } from '../refresh/events.ts';
import { type PgpassdError, systemErrorCode } from '../support/errors.ts';
import { duration, seconds } from '../support/text.ts';
import { VERIFIED_ALL_THE_SAME } from '../support/verification.ts';

export type Level = 'debug' | 'info' | 'warn' | 'error' | 'fatal';

/** One line of the log. */
export interface LogLine {
  readonly level: Level;
  readonly event: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** While more than this share of the life is left, a failure can still mend itself unnoticed. */
const COMFORTABLE_SHARE = 0.25;

/** What the log says of an event: the words, how loud, and the fields for machines. */
export function describe(event: RefreshEvent): LogLine {
  switch (event.type) {
    case 'passfile.swept':
      return line('info', event, 'removed what an interrupted write had left', {
        files: event.files,
      });
    case 'passfile.adopted':
      return line('info', event, `took over the passfile in place, ${validity(event.token)}`, {
        ...tokenFields(event.token),
        nextRefreshInSeconds: seconds(event.refreshInMs),
      });
    case 'passfile.written':
      return line('info', event, 'wrote the passfile');
    case 'passfile.unchanged':
      return line('info', event, 'the passfile holds this token already');
    case 'refresh.started':
      return line('debug', event, 'asking for a token', { cause: event.cause });
    case 'exchange.ended':
      return line('debug', event, event.succeeded ? 'got an answer' : 'got no token', {
        succeeded: event.succeeded,
        tookSeconds: seconds(event.tookMs),
      });
    case 'token.refreshed':
      return line('info', event, `got a token, ${validity(event.token)}`, {
        ...tokenFields(event.token),
        nextRefreshInSeconds: seconds(event.refreshInMs),
        tookSeconds: seconds(event.tookMs),
      });
    case 'token.unchanged':
      return line(
        levelOf(event.token),
        event,
        `got no newer token than the one in place, which is ${validity(event.token)}`,
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
      return line('warn', event, VERIFIED_ALL_THE_SAME);
    case 'template.changed':
      return line('info', event, 'the template changed');
    case 'template.rejected':
      return line(
        'error',
        event,
        `${sentence(event.error)} The last good template stays in force.`,
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
      return line('warn', event, `${findings[event.damage]}; put it back`, {
        damage: event.damage,
        repairs: event.repairs,
        ...(event.displacedTo !== undefined && { displacedTo: event.displacedTo }),
      });
    case 'passfile.kept':
      return line(
        'warn',
        event,
        `the passfile in place was not one that pgpassd wrote; it is kept as ${event.keptAs}`,
        { keptAs: event.keptAs },
      );
    case 'passfile.contested':
      return line(
        'error',
        event,
        `somebody keeps changing the passfile, ${event.repairsInAMinute} times within a minute; find the other writer (a second pgpassd, a start script), or mount the volume read-only in the other containers. Until then it is put back every 10 s.`,
        { repairsInAMinute: event.repairsInAMinute },
      );
    case 'passfile.repair-failed':
      return line('error', event, sentence(event.error), {
        reason: event.error.code,
        remedy: event.error.remedy,
      });
  }
}

const findings: Readonly<Record<Damage, string>> = {
  missing: 'somebody removed the passfile',
  'not-a-file': 'somebody put something else in the place of the passfile',
  owner: 'somebody gave the passfile away',
  mode: 'somebody changed the mode of the passfile',
  content: 'somebody changed the content of the passfile',
};

function watchFailure(error: unknown): string {
  const code = systemErrorCode(error) ?? 'unknown error';
  return `files cannot be watched (${code}), so they are looked at every 30 s; ${watchRemedies[code] ?? 'see whether their file system supports inotify'}`;
}

const watchRemedies: Readonly<Record<string, string>> = {
  EMFILE: 'raise fs.inotify.max_user_instances on the node, or the limit of open files',
  ENFILE: 'raise fs.file-max on the node',
  ENOSPC: 'raise fs.inotify.max_user_watches on the node',
};

type Failure = Extract<RefreshEvent, { type: 'refresh.failed' }>;

function describeFailure(event: Failure): LogLine {
  const { error, failures, token, retryInMs } = event;
  const message = `${sentence(error)} ${inPlace(event)}; next try in ${duration(retryInMs)}.`;
  return line(failureLevel(event), event, message, {
    reason: error.code,
    failures,
    remedy: error.remedy,
    ...error.details,
    ...tokenFields(token),
    nextTryInSeconds: seconds(retryInMs),
  });
}

function inPlace({ token, expiredForMs }: Failure): string {
  if (token !== undefined) return `The token in place is ${validity(token)}`;
  return expiredForMs === undefined
    ? 'There is no token yet, so clients cannot connect'
    : `The token in place expired ${duration(expiredForMs)} ago, so clients cannot connect`;
}

function failureLevel({ token, expiredForMs }: Failure): Level {
  if (token === undefined) return expiredForMs === undefined ? 'error' : 'fatal';
  return isComfortable(token) ? 'warn' : 'error';
}

function levelOf(token: TokenInPlace): Level {
  return isComfortable(token) ? 'info' : 'warn';
}

function isComfortable({ remainingMs, lifeMs }: TokenInPlace): boolean {
  return remainingMs > COMFORTABLE_SHARE * lifeMs;
}

/** A failure as a person reads it: what failed, then what to do. */
export function sentence({ message, remedy }: PgpassdError): string {
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
    tokenExpiresAt: iso(token.expiresAtMs),
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
    ...(expiresAtMs !== undefined && { federatedTokenExpiresAt: iso(expiresAtMs) }),
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

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
