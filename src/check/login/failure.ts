import { DeadlinePassed } from '../../support/deadline.ts';
import { systemErrorCode } from '../../support/errors.ts';
import { formatAddress } from '../../support/text.ts';
import * as causes from '../causes/connection.ts';
import { serverAuthMethod } from '../causes/login.ts';
import { type Finding, wrong } from '../finding.ts';
import type { LoginAttempt } from './attempt.ts';
import { quote } from './quote.ts';
import { explainRefusal, isRefusal } from './refusal.ts';
import type { LoginTarget } from './target.ts';

/** What a failed login means; `error` is the deadline's, Node's, node-postgres' or the server's. */
export function explainLoginFailure(error: unknown, attempt: LoginAttempt): Finding {
  if (isRefusal(error)) return explainRefusal(error, attempt);
  const { target, stage, address = target.host, timeoutMs } = attempt;
  const failure = failureOf(error, attempt);
  if (stage === 'name') {
    return wrong('login', causes.serverName({ host: target.host, why: failure.why }));
  }
  if (stage === 'connection') return explainNoConnection(failure, attempt);
  if (error instanceof DeadlinePassed) {
    const seconds = timeoutMs / 1000;
    return wrong('login', causes.serverSilent({ server: formatAddress(target), address, seconds }));
  }
  return stage === 'tls' ? explainNoTls(failure, attempt) : explainNoAnswer(failure, attempt);
}

/** Whether the server answered the request for TLS with a no. */
export function lacksTls(error: unknown): boolean {
  return error instanceof Error && error.message === NO_TLS;
}

/** What node-postgres says, which has no codes for these. */
const NO_TLS = 'The server does not support SSL connections';
const NO_ANSWER_ABOUT_TLS = 'There was an error establishing an SSL connection';
const ENDED = 'Connection terminated unexpectedly';

interface Failure {
  readonly code: string | undefined;
  readonly text: string;
  /** The code, or the text where there is none. */
  readonly why: string;
  /** The names on a certificate, when that is for others. */
  readonly names?: string;
}

function failureOf(error: unknown, { token, timeoutMs }: LoginAttempt): Failure {
  if (error instanceof DeadlinePassed) {
    return { code: undefined, text: '', why: `no answer within ${timeoutMs / 1000} s` };
  }
  const code = systemErrorCode(error);
  const text = quote(error instanceof Error ? error.message : String(error), token);
  const names = namesOn(error);
  return {
    code,
    text,
    why: code ?? text,
    ...(names !== undefined && { names: quote(names, token) }),
  };
}

/** Node hands over the certificate that it finds to be for others. */
function namesOn(error: unknown): string | undefined {
  const { subjectaltname: names } = (error as { cert?: { subjectaltname?: unknown } })?.cert ?? {};
  return typeof names === 'string' ? names.replaceAll(/\b(?:DNS|IP Address):/g, '') : undefined;
}

function explainNoConnection(
  { code, why }: Failure,
  { target, address = target.host }: LoginAttempt,
): Finding {
  const server = formatAddress(target);
  // A socket that is not there is a server that is not there.
  return code === 'ECONNREFUSED' || code === 'ENOENT'
    ? wrong('login', causes.serverRefusesConnections({ server, address }))
    : wrong('login', causes.serverNoRoute({ server, address, port: target.port, why }));
}

/** OpenSSL's reasons to refuse a certificate: `X509_V_ERR_*` without that, as Node names them. */
const REFUSED_CERTIFICATE =
  /^(?:CERT_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|INVALID_|PATH_LENGTH_|HOSTNAME_MISMATCH)/;

const dates: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'has expired',
  CERT_NOT_YET_VALID: 'is not valid yet',
};

function explainNoTls(failure: Failure, attempt: LoginAttempt): Finding {
  const { code = '', text, why, names = 'none' } = failure;
  const server = formatAddress(attempt.target);
  const date = dates[code];
  if (text === NO_TLS) return wrong('login', causes.serverWithoutTls({ server }));
  if (text === NO_ANSWER_ABOUT_TLS) {
    return wrong('login', causes.serverNotPostgres({ server }));
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return wrong('login', causes.serverOtherName({ server, names }));
  }
  if (date !== undefined) {
    return wrong('login', causes.serverCertificateDates({ server, why: date }));
  }
  if (REFUSED_CERTIFICATE.test(code)) {
    const roots = rootsOf(attempt.target);
    return wrong('login', causes.serverUntrusted({ server, roots, why }));
  }
  return /^(?:ERR_|EPROTO)/.test(code)
    ? wrong('login', causes.serverTlsFailed({ server, why }))
    : explainNoAnswer(failure, attempt);
}

function rootsOf({ rootCertPath }: LoginTarget): string {
  return rootCertPath === undefined || rootCertPath === 'system'
    ? "the system's roots"
    : `the CAs in ${rootCertPath}`;
}

function isCutOff({ code = '', text }: Failure): boolean {
  return ['ECONNRESET', 'EPIPE'].includes(code) || text === ENDED;
}

function explainNoAnswer(failure: Failure, attempt: LoginAttempt): Finding {
  const server = formatAddress(attempt.target);
  if (isCutOff(failure)) {
    const when = attempt.stage === 'tls' ? 'before TLS is agreed on' : 'in the middle of the login';
    return wrong('login', causes.serverCutOff({ server, when }));
  }
  const type = /^Unknown authenticationOk message type (\d+)$/.exec(failure.text)?.[1];
  if (type !== undefined) return wrong('login', serverAuthMethod({ server, type }));
  if (/^received invalid response/.test(failure.text)) {
    return wrong('login', causes.serverNotPostgres({ server }));
  }
  return wrong('login', causes.serverFailed({ server, why: failure.why }));
}
