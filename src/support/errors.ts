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

/** What `wait` and `check` find besides, looking at the passfile as a client would. */
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

/** Every way pgpassd can fail; decides on the exit code. */
export type ErrorCode = RefreshErrorCode | FindingCode;

/**
 * What resolves a failure: `transient` ones resolve by themselves; `propagating` ones, too, once a change
 * has spread; an `operator` has to change something; or pgpassd itself or one of its settings is wrong
 * (`ours`).
 */
export type Nature = 'transient' | 'propagating' | 'operator' | 'ours';

/** What helps an operator, or Microsoft's support, to find the one request that failed. */
export interface ErrorDetails {
  readonly nature?: Nature;
  readonly status?: number;
  /** Such as `AADSTS700213`. */
  readonly aadsts?: string;
  readonly correlationId?: string;
  readonly traceId?: string;
  /** How long the server asked us to stay away. */
  readonly retryAfterMs?: number;
  /** Why a command, or what it runs, could not be started, such as `EAGAIN`. */
  readonly systemCode?: string;
}

export interface PgpassdErrorOptions extends ErrorOptions {
  readonly details?: ErrorDetails;
  readonly isReportable?: boolean;
}

/**
 * A failure an operator can act on: `message` says what failed in one sentence without a full
 * stop, `remedy` what to do about it in another. Neither ever holds a token, a request or an answer.
 */
export class PgpassdError extends Error {
  override readonly name = 'PgpassdError';
  readonly code: ErrorCode;
  readonly remedy: string;
  readonly details: ErrorDetails;
  /** Whether the remedy asks for a report that names the correlation id. */
  readonly isReportable: boolean;

  constructor(code: ErrorCode, message: string, remedy: string, options: PgpassdErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.remedy = remedy;
    this.details = options.details ?? {};
    this.isReportable = options.isReportable ?? false;
  }

  /** The same failure in other words. */
  withMessage(message: string): PgpassdError {
    const { code, remedy, details, isReportable, cause } = this;
    return new PgpassdError(code, message, remedy, { details, isReportable, cause });
  }
}

/** `error` as one of ours; anything unforeseen becomes `internal`. */
export function asPgpassdError(error: unknown): PgpassdError {
  if (error instanceof PgpassdError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new PgpassdError(
    'internal',
    `internal error: ${message}`,
    'Please report this with the log around it.',
    { cause: error },
  );
}

/**
 * What Linux says of quotas, network file systems and damaged volumes, which libuv has no names for:
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

/** The system's code of an error, such as `ENOENT`; by its number where Node has no name for it. */
export function systemErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, errno } = error as NodeJS.ErrnoException;
  if (typeof code !== 'string') return undefined;
  const unnamed = typeof errno === 'number' && code.startsWith('Unknown system error');
  return (unnamed && namesByNumber[-errno]) || code;
}
