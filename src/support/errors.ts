import { sanitize } from './text.ts';

/** Every way a refresh can fail: what metrics count. The part before the dot says where. */
export const refreshErrorCodes = [
  'config.invalid',
  'federated-token.missing',
  'federated-token.unreadable',
  'federated-token.empty',
  'federated-token.malformed',
  'federated-token.expired',
  'entra.refused',
  'entra.throttled',
  'entra.unavailable',
  'entra.unreachable',
  'entra.untrusted',
  'entra.timeout',
  'entra.bad-answer',
  'token-command.failed',
  'token-command.bad-output',
  'token-source.failed',
  'passfile.unwritable',
  'passfile.no-space',
  'passfile.unavailable',
  'internal',
] as const;

/** What only `wait` and `check` find, since they read the passfile as a client does. */
type FindingCode =
  | 'passfile.missing'
  | 'passfile.ignored'
  | 'passfile.malformed'
  | 'passfile.expired'
  | 'passfile.no-line'
  | 'passfile.overridden'
  | 'server.unreachable'
  | 'server.refused'
  | 'clock.wrong';

export type RefreshErrorCode = (typeof refreshErrorCodes)[number];

/** Every way pgpassd can fail; determines the exit code. */
export type ErrorCode = RefreshErrorCode | FindingCode;

/** The exit code of each failure. */
const exitCodes = {
  internal: 1,
  'config.invalid': 2,
  'federated-token.missing': 3,
  'federated-token.unreadable': 3,
  'federated-token.empty': 3,
  'federated-token.malformed': 3,
  'federated-token.expired': 3,
  'entra.refused': 4,
  'entra.throttled': 5,
  'entra.unavailable': 5,
  'entra.unreachable': 5,
  'entra.untrusted': 5,
  'entra.timeout': 5,
  'entra.bad-answer': 5,
  'token-command.failed': 5,
  'token-command.bad-output': 5,
  'token-source.failed': 5,
  'passfile.unwritable': 6,
  'passfile.no-space': 6,
  'passfile.unavailable': 6,
  'passfile.missing': 7,
  'passfile.ignored': 7,
  'passfile.malformed': 7,
  'passfile.expired': 7,
  'passfile.no-line': 7,
  'passfile.overridden': 7,
  'server.unreachable': 8,
  'server.refused': 8,
  'clock.wrong': 3,
} as const satisfies Record<ErrorCode, number>;

export function exitCodeOf(code: ErrorCode): number {
  return exitCodes[code];
}

/**
 * What resolves a failure: `transient` ones resolve by themselves; `propagating` ones, too, once a change
 * has spread; an `operator` has to change something; or pgpassd itself or one of its settings is wrong
 * (`ours`).
 */
export type Nature = 'transient' | 'propagating' | 'operator' | 'ours';

/** What helps an operator, or Microsoft's support, to find the request that failed. */
export interface ErrorDetails {
  readonly nature?: Nature;
  readonly status?: number;
  /** Such as `AADSTS700213`. */
  readonly aadsts?: string;
  readonly correlationId?: string;
  readonly traceId?: string;
  /** How long the server asked us to wait, as in Retry-After. */
  readonly retryAfterMs?: number;
  /** Why the system could not start a command, or a program that it runs, such as `EAGAIN`. */
  readonly systemCode?: string;
}

export interface PgpassdErrorOptions extends ErrorOptions {
  readonly details?: ErrorDetails;
  readonly failureId?: string;
  readonly isReportable?: boolean;
}

/**
 * A failure that an operator can act on: `message` says in one sentence without a full stop what
 * failed, `remedy` in another what to do. Neither ever holds a token, a request or a response.
 */
export class PgpassdError extends Error {
  override readonly name = 'PgpassdError';
  readonly code: ErrorCode;
  readonly remedy: string;
  readonly details: ErrorDetails;
  /** The id of the kind of failure that it was made from, which is finer than its code. */
  readonly failureId: string | undefined;
  /** Whether the remedy asks for a report that names the correlation id. */
  readonly isReportable: boolean;

  constructor(code: ErrorCode, message: string, remedy: string, options: PgpassdErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.remedy = remedy;
    this.details = options.details ?? {};
    this.failureId = options.failureId;
    this.isReportable = options.isReportable ?? false;
  }

  /** The same failure in other words. */
  withMessage(message: string, remedy = this.remedy): PgpassdError {
    const { code, details, failureId, isReportable, cause } = this;
    const options = { details, isReportable, cause, ...(failureId !== undefined && { failureId }) };
    return new PgpassdError(code, message, remedy, options);
  }
}

/**
 * Linux errors of quotas, network file systems and damaged volumes that libuv has no names for:
 * include/uapi/asm-generic/errno.h.
 */
const namesByNumber: Readonly<Record<number, string>> = {
  112: 'EHOSTDOWN',
  116: 'ESTALE',
  117: 'EUCLEAN',
  121: 'EREMOTEIO',
  122: 'EDQUOT',
  123: 'ENOMEDIUM',
};

/** The system's code of an error, such as `ENOENT`; taken from its number where Node.js has no name for it. */
export function systemErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, errno } = error as NodeJS.ErrnoException;
  if (typeof code !== 'string') return undefined;
  const unnamed = typeof errno === 'number' && code.startsWith('Unknown system error');
  return (unnamed && namesByNumber[-errno]) || code;
}

/** What went wrong, for an operator. */
export interface Failure {
  /** What programs know it by. */
  readonly id: string;
  readonly code: ErrorCode;
  /** What is wrong, in one sentence without a full stop. */
  readonly found: string;
  /** What to do about it, in a sentence with one; lines of SQL may follow. */
  readonly remedy: string;
}

/** What a failure names: hosts, paths, numbers with their units. */
export type Values<Name extends string = string> = Readonly<Record<Name, string | number>>;

/** Makes the failures of one kind. docs/findings.md is made from `pattern`. */
export interface FailureKind<Name extends string = string> {
  (...values: [Name] extends [never] ? [] : [values: Values<Name>]): Failure;
  /** With `{name}` in the place of each value. */
  readonly pattern: Failure;
}

/**
 * Defines a kind of failure by its sentences. An `id` is unique, and stays as it is once released.
 *
 * @example
 * const missing = failure<'path'>('passfile-missing', 'passfile.missing', ({ path }) => ({
 *   found: `the passfile ${path} does not exist`,
 *   remedy: 'Check that …',
 * }));
 */
export function failure<Name extends string = never>(
  id: string,
  code: ErrorCode,
  explain: (values: Values<Name>) => Pick<Failure, 'found' | 'remedy'>,
): FailureKind<Name> {
  const names = new Proxy({} as Values<Name>, { get: (_, name) => `{${String(name)}}` });
  const make = (...[values]: readonly Values<Name>[]): Failure => ({
    id,
    code,
    ...explain(values === undefined ? ({} as Values<Name>) : onOneLine(values)),
  });
  return Object.assign(make, { pattern: { id, code, ...explain(names) } });
}

const LONGEST_VALUE = 1_000;

/** A value never spans lines, so that the sentences and SQL around it keep their shape. */
function onOneLine<Name extends string>(values: Values<Name>): Values<Name> {
  const entries = Object.entries<string | number>(values);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, sanitize(String(value), [], LONGEST_VALUE)]),
  ) as Values<Name>;
}

/** The error to throw for a failure. */
export function errorOf(
  { id, code, found, remedy }: Failure,
  options?: PgpassdErrorOptions,
): PgpassdError {
  return new PgpassdError(code, found, remedy, { ...options, failureId: id });
}

const internalError = failure<'message'>('internal', 'internal', ({ message }) => ({
  found: `internal error: ${message}`,
  remedy: 'Please report this with the log around it.',
}));

/** `error` itself if it is a PgpassdError; anything unforeseen becomes one with the code `internal`. */
export function asPgpassdError(error: unknown): PgpassdError {
  if (error instanceof PgpassdError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return errorOf(internalError({ message }), { cause: error });
}
