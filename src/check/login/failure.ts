import { DeadlinePassed } from '../../support/clock.ts';
import { failure, systemErrorCode } from '../../support/errors.ts';
import { formatAddress } from '../../support/network.ts';
import { type Finding, wrong } from '../step.ts';
import { explainServerRefusal, isServerRefusal, quote } from './refusal.ts';
import { SessionError } from './session.ts';
import type { LoginAttempt, LoginTarget } from './target.ts';

const RIGHT_PORT =
  'Correct the host and port of the entry; the port is usually 5432, or 6432 for PgBouncer on a flexible server';

export const serverName = failure<'host' | 'why'>(
  'server-name',
  'server.unreachable',
  ({ host, why }) => ({
    found: `${host} does not resolve to an address (${why})`,
    remedy:
      'Correct the host of the entry, or the DNS of the pod; a private name resolves only where its private DNS zone is linked to the virtual network.',
  }),
);

export const serverRefusesConnections = failure<'server' | 'address'>(
  'server-refuses-connections',
  'server.unreachable',
  ({ server, address }) => ({
    found: `${server} refuses connections at ${address}`,
    remedy: `${RIGHT_PORT}. Check that the server is started, and that no NetworkPolicy or firewall rejects the connection.`,
  }),
);

export const serverNoRoute = failure<'server' | 'address' | 'why' | 'port'>(
  'server-no-route',
  'server.unreachable',
  ({ server, address, why, port }) => ({
    found: `cannot connect to ${server} at ${address} (${why})`,
    remedy: `Allow the pod to reach port ${port} of the server: check egress in NetworkPolicies and network security groups, the server's firewall rules, and its private endpoint. If the address is not the expected one, check the private DNS zone.`,
  }),
);

export const serverSilent = failure<'server' | 'address' | 'seconds'>(
  'server-silent',
  'server.unreachable',
  ({ server, address, seconds }) => ({
    found: `${server} accepts connections at ${address}, but did not answer within ${seconds} s`,
    remedy: `${RIGHT_PORT}. A firewall or proxy in between may accept the connection and forward nothing, and a server that is out of resources may not answer either.`,
  }),
);

export const serverCutOff = failure<'server' | 'when'>(
  'server-cut-off',
  'server.unreachable',
  ({ server, when }) => ({
    found: `${server} closed the connection ${when}`,
    remedy:
      'Check whether the server is starting or stopping, and whether a proxy, gateway or firewall in between closes the connection; if it was the server, its log says why.',
  }),
);

export const serverNotPostgres = failure<'server'>(
  'server-not-postgresql',
  'server.unreachable',
  ({ server }) => ({
    found: `the server at ${server} does not speak the PostgreSQL protocol`,
    remedy: `${RIGHT_PORT}.`,
  }),
);

export const serverAuthMethod = failure<'server' | 'type'>(
  'server-auth-method',
  'server.refused',
  ({ server, type }) => ({
    found: `${server} requires an authentication method without a password (type ${type})`,
    remedy:
      'Enable Microsoft Entra authentication on the server; on a PostgreSQL server of your own, use a method in pg_hba.conf that accepts the token.',
  }),
);

export const serverFailed = failure<'server' | 'why'>(
  'server-failed',
  'server.unreachable',
  ({ server, why }) => ({
    found: `the login to ${server} failed (${why})`,
    remedy: "Check the server's log, and the proxies and firewalls in between.",
  }),
);

export const sslmodeWithoutTls = failure<'sslmode' | 'server'>(
  'sslmode-without-tls',
  'server.refused',
  ({ sslmode, server }) => ({
    found: `PGSSLMODE=${sslmode} allows a client to send the token to ${server} unencrypted, so no login was tried`,
    remedy:
      'Set PGSSLMODE=verify-full (or sslmode=verify-full in the connection string), and PGSSLROOTCERT=system; with libpq before 16, set PGSSLROOTCERT to a file of CA certificates instead.',
  }),
);

export const serverWithoutTls = failure<'server'>(
  'server-without-tls',
  'server.refused',
  ({ server }) => ({
    found: `${server} does not support TLS, and a token is not sent without TLS`,
    remedy:
      'Enable TLS on the server (ssl = on; on Azure it always is), or connect to the server itself instead of a proxy that lacks TLS.',
  }),
);

export const serverTlsFailed = failure<'server' | 'why'>(
  'server-tls-failed',
  'server.unreachable',
  ({ server, why }) => ({
    found: `the TLS handshake with ${server} failed (${why})`,
    remedy:
      'Check that the server supports TLS 1.2 or later, and that no proxy in between interferes.',
  }),
);

export const serverUntrusted = failure<'server' | 'roots' | 'why'>(
  'server-untrusted',
  'server.refused',
  ({ server, roots, why }) => ({
    found: `${server} presents a certificate that no CA in ${roots} signed (${why})`,
    remedy:
      'Set PGSSLROOTCERT to "system" or to a file with the CAs of the server: DigiCert Global Root G2 and Microsoft RSA Root Certificate Authority 2017 for Azure. If these are trusted already, the connection may be intercepted.',
  }),
);

export const serverCertificateDates = failure<'server' | 'why'>(
  'server-certificate-dates',
  'server.refused',
  ({ server, why }) => ({
    found: `${server} presents a certificate that ${why}`,
    remedy:
      'Compare the clock of this machine with the correct time; if the clock is right, renew the certificate of the server.',
  }),
);

export const serverOtherName = failure<'server' | 'names'>(
  'server-other-name',
  'server.refused',
  ({ server, names }) => ({
    found: `${server} presents a certificate for other names: ${names}`,
    remedy:
      'Use a host name of the certificate in the entry and in the client: on Azure <server>.postgres.database.azure.com, also through a private endpoint. Put an address into PGHOSTADDR, not into the host.',
  }),
);

export const rootCertUnusable = failure<'path' | 'why'>(
  'root-cert',
  'server.refused',
  ({ path, why }) => ({
    found: `the CA file ${path} ${why}`,
    remedy:
      'Set PGSSLROOTCERT to "system" (libpq 16 or later) or to a readable file of PEM certificates. If it is not set, PGSSLMODE=verify-full makes libpq require ~/.postgresql/root.crt.',
  }),
);

/** What a failed login means; `error` is what `openSession` or the deadline threw. */
export function explainLoginFailure(error: unknown, attempt: LoginAttempt): Finding {
  if (isServerRefusal(error)) return explainServerRefusal(error, attempt);
  const { target, stage, address = target.host, timeoutMs } = attempt;
  const diagnostics = diagnose(error, attempt);
  if (stage === 'name') {
    return wrong('login', serverName({ host: target.host, why: diagnostics.why }));
  }
  if (stage === 'connection') return explainNoConnection(diagnostics, attempt);
  if (error instanceof DeadlinePassed) {
    const seconds = timeoutMs / 1000;
    return wrong('login', serverSilent({ server: formatAddress(target), address, seconds }));
  }
  if (error instanceof SessionError) return explainSessionError(error, attempt);
  return stage === 'tls'
    ? explainNoTls(diagnostics, attempt)
    : explainNoAnswer(diagnostics, attempt);
}

/** Whether the server declined the request for TLS. */
export function lacksTls(error: unknown): boolean {
  return error instanceof SessionError && error.kind === 'tls-declined';
}

interface Diagnostics {
  readonly code: string | undefined;
  /** The code, or the error's message where there is none. */
  readonly why: string;
  /** The names on a certificate that does not match the host. */
  readonly names?: string;
}

function diagnose(error: unknown, { token, timeoutMs }: LoginAttempt): Diagnostics {
  if (error instanceof DeadlinePassed) {
    return { code: undefined, why: `no answer within ${timeoutMs / 1000} s` };
  }
  const code = systemErrorCode(error);
  const text = quote(error instanceof Error ? error.message : String(error), token);
  const names = namesOn(error);
  return {
    code,
    why: code ?? text,
    ...(names !== undefined && { names: quote(names, token) }),
  };
}

/** Node attaches the certificate to the error that it does not match the name. */
function namesOn(error: unknown): string | undefined {
  const { subjectaltname: names } = (error as { cert?: { subjectaltname?: unknown } })?.cert ?? {};
  return typeof names === 'string' ? names.replaceAll(/\b(?:DNS|IP Address):/g, '') : undefined;
}

function explainNoConnection(
  { code, why }: Diagnostics,
  { target, address = target.host }: LoginAttempt,
): Finding {
  const server = formatAddress(target);
  // ENOENT: there is no such unix socket, so no server listens there.
  return code === 'ECONNREFUSED' || code === 'ENOENT'
    ? wrong('login', serverRefusesConnections({ server, address }))
    : wrong('login', serverNoRoute({ server, address, port: target.port, why }));
}

/** OpenSSL's reasons to reject a certificate: `X509_V_ERR_*` without the prefix, as Node names them. */
const REFUSED_CERTIFICATE =
  /^(?:CERT_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|INVALID_|PATH_LENGTH_|HOSTNAME_MISMATCH)/;

const dates: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'has expired',
  CERT_NOT_YET_VALID: 'is not valid yet',
};

function explainNoTls(diagnostics: Diagnostics, attempt: LoginAttempt): Finding {
  const { code = '', why, names = 'none' } = diagnostics;
  const server = formatAddress(attempt.target);
  const date = dates[code];
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return wrong('login', serverOtherName({ server, names }));
  }
  if (date !== undefined) {
    return wrong('login', serverCertificateDates({ server, why: date }));
  }
  if (REFUSED_CERTIFICATE.test(code)) {
    const roots = rootsOf(attempt.target);
    return wrong('login', serverUntrusted({ server, roots, why }));
  }
  return /^(?:ERR_|EPROTO)/.test(code)
    ? wrong('login', serverTlsFailed({ server, why }))
    : explainNoAnswer(diagnostics, attempt);
}

function rootsOf({ rootCertPath }: LoginTarget): string {
  return rootCertPath === undefined || rootCertPath === 'system'
    ? "the system's trust store"
    : rootCertPath;
}

function explainNoAnswer({ code = '', why }: Diagnostics, attempt: LoginAttempt): Finding {
  if (['ECONNRESET', 'EPIPE'].includes(code)) return explainCutOff(attempt);
  return wrong('login', serverFailed({ server: formatAddress(attempt.target), why }));
}

function explainCutOff({ target, stage }: LoginAttempt): Finding {
  const when = stage === 'tls' ? 'during the TLS negotiation' : 'during the login';
  return wrong('login', serverCutOff({ server: formatAddress(target), when }));
}

function explainSessionError(
  { kind, authType = 0, message }: SessionError,
  attempt: LoginAttempt,
): Finding {
  const server = formatAddress(attempt.target);
  switch (kind) {
    case 'tls-declined':
      return wrong('login', serverWithoutTls({ server }));
    case 'not-postgresql':
      return wrong('login', serverNotPostgres({ server }));
    case 'auth-method':
      return wrong('login', serverAuthMethod({ server, type: authType }));
    case 'scram-invalid':
      return wrong('login', serverFailed({ server, why: message }));
    case 'closed':
      return explainCutOff(attempt);
  }
}
