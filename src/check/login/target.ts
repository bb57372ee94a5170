import type { Environment } from '../../config/option.ts';
import { ANY, type Entry } from '../../passfile/format.ts';
import { isPort } from '../../support/network.ts';
import type { Secret } from '../../support/secret.ts';

/** libpq's, from the weakest: https://www.postgresql.org/docs/current/libpq-ssl.html */
const sslmodes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;

type SslMode = (typeof sslmodes)[number];

/** What to log in to, and how. */
export interface LoginTarget {
  /** A name or an address, which the certificate must match; or the directory of a unix socket. */
  readonly host: string;
  /** An address to connect to instead of resolving `host`. */
  readonly hostaddr: string | undefined;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly sslmode: SslMode;
  /** A file of CAs to trust, or `system`; `undefined` for the roots of the system and Node's. */
  readonly rootCertPath: string | undefined;
  /** How long the client would try; `undefined` when it would never give up. */
  readonly connectTimeoutMs: number | undefined;
}

/** How far a login got: the name's resolution, the connection, TLS, authentication. */
export type Stage = 'name' | 'connection' | 'tls' | 'login';

/** A login that was tried, and how far it got. */
export interface LoginAttempt {
  readonly target: LoginTarget;
  readonly stage: Stage;
  /** The address of the last connection. */
  readonly address: string | undefined;
  /** What the server asked for instead of a cleartext password, which a token is sent as. */
  readonly asked: 'SCRAM' | 'MD5' | undefined;
  readonly token: Secret;
  readonly timeoutMs: number;
}

/** Why an entry is not enough to log in with. */
export interface Untried {
  readonly untried: string;
}

/** Why libpq refuses to connect with this environment. */
export interface Refused {
  readonly refused: string;
}

/**
 * Where a libpq client with this environment would log in, if its connection string said no more
 * than the entry does. Where neither sets an sslmode, this is stricter than libpq's `prefer`: it
 * takes `verify-full`, unless the connection stays on this machine.
 */
export function loginTarget(entry: Entry, env: Environment): LoginTarget | Untried | Refused {
  const { host, user } = entry;
  if (host === ANY || host === '') return { untried: 'the entry matches any host' };
  if (user === ANY || user === '') return { untried: `the entry for ${host} matches any user` };
  // libpq uses this name for replication connections: there is no such database.
  if (entry.database === 'replication')
    return { untried: `the entry for ${host} is for replication` };
  const port = entry.port ?? (env['PGPORT'] || '5432');
  if (!isPort(port)) return withoutPort(port, entry.port === ANY, host);
  const hostaddr = addressFor(host, env);
  if (hostaddr !== undefined && !ADDRESS.test(hostaddr)) {
    return { refused: `PGHOSTADDR=${hostaddr} is not an address` };
  }
  const objection = objectionToVariables(env);
  if (objection !== undefined) return { refused: objection };
  const local = staysHere(host) && (hostaddr === undefined || staysHere(hostaddr));
  const fallback = local && !env['PGSSLROOTCERT'] ? 'prefer' : 'verify-full';
  const sslmode = sslmodes.find((mode) => mode === (env['PGSSLMODE'] || fallback));
  if (sslmode === undefined) return { refused: `PGSSLMODE=${env['PGSSLMODE']} is not an sslmode` };
  const rootCertPath = env['PGSSLROOTCERT'] || defaultRootCert(env);
  if (rootCertPath === 'system' && sslmode !== 'verify-full') {
    return { refused: `PGSSLROOTCERT=system requires PGSSLMODE=verify-full, not ${sslmode}` };
  }
  return {
    host,
    hostaddr,
    port: Number(port),
    database: (entry.database ?? env['PGDATABASE']) || 'postgres',
    user,
    sslmode,
    rootCertPath,
    connectTimeoutMs: connectTimeoutMs(env['PGCONNECT_TIMEOUT']),
  };
}

/** What libpq accepts in variables that it checks before it connects: `connectOptions2` in fe-connect.c. */
const acceptedValues: Readonly<Record<string, RegExp>> = {
  PGCHANNELBINDING: /^(?:disable|prefer|require)$/,
  PGCONNECT_TIMEOUT: /^\s*[+-]?\d{1,9}\s*$/,
  PGGSSENCMODE: /^(?:disable|prefer|require)$/,
  PGSSLMAXPROTOCOLVERSION: /^TLSv1(?:\.[1-3])?$/i,
  PGSSLMINPROTOCOLVERSION: /^TLSv1(?:\.[1-3])?$/i,
  PGTARGETSESSIONATTRS: /^(?:any|read-write|read-only|primary|standby|prefer-standby)$/,
};

function objectionToVariables(env: Environment): string | undefined {
  const wrong = Object.entries(acceptedValues).find(
    ([name, accepted]) => env[name] && !accepted.test(env[name]),
  );
  if (wrong !== undefined)
    return `${wrong[0]}=${env[wrong[0]]} is none of the values that it takes`;
  return env['PGGSSENCMODE'] === 'require'
    ? 'PGGSSENCMODE=require demands encryption by Kerberos, with which no token is sent'
    : undefined;
}

/** A line of the passfile may have any port, and a list in PGPORT goes with a list of hosts. */
function withoutPort(port: string, byVariable: boolean, host: string): Untried | Refused {
  return byVariable && !port.includes(',')
    ? { refused: `PGPORT=${port} is not a port` }
    : { untried: `the port for ${host} is invalid: ${port}` };
}

/** A list has one address for each name in PGHOST. */
function addressFor(host: string, { PGHOST = '', PGHOSTADDR = '' }: Environment) {
  const addresses = PGHOSTADDR.split(',');
  return (
    (addresses.length > 1 ? addresses[PGHOST.split(',').indexOf(host)] : PGHOSTADDR) || undefined
  );
}

/** Whether the server must present a certificate that a trusted CA signed. */
export function verifiesServer({ sslmode, rootCertPath }: LoginTarget): boolean {
  return sslmode.startsWith('verify-') || (sslmode === 'require' && rootCertPath !== undefined);
}

/** Whether a client with these settings could send the token over a network without TLS. */
export function mayShowToken({ host, hostaddr, sslmode }: LoginTarget): boolean {
  const encrypted = ['require', 'verify-ca', 'verify-full'].includes(sslmode);
  return !encrypted && !(staysHere(host) && (hostaddr === undefined || staysHere(hostaddr)));
}

/** The file that libpq requires when it is to verify and no variable names one: `initialize_SSL`. */
function defaultRootCert({ PGSSLMODE, HOME }: Environment): string | undefined {
  return PGSSLMODE?.startsWith('verify-') && HOME ? `${HOME}/.postgresql/root.crt` : undefined;
}

/** Whether a name or an address is of this machine, or the directory of a unix socket. */
function staysHere(host: string): boolean {
  return isSocketDirectory(host) || /^(?:localhost|127(?:\.\d+){3}|::1)$/i.test(host);
}

/** libpq uses no TLS on a unix socket, whatever the sslmode. */
export function isSocketDirectory(host: string): boolean {
  return host.startsWith('/');
}

const ADDRESS = /^(?:\d+(?:\.\d+){3}|[\da-f.]*:[\da-f.:]*(?:%\w+)?)$/i;

/** Whole seconds, at least 2; at 0 or less libpq waits forever: `connectDBComplete` in fe-connect.c. */
function connectTimeoutMs(text: string | undefined): number | undefined {
  const seconds = Number(text ?? 0);
  return seconds <= 0 ? undefined : Math.max(seconds, 2) * 1000;
}
