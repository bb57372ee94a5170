import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { type ConnectionOptions, getCACertificates } from 'node:tls';
import { readCa, UnusableCa } from '../../entra/transport.ts';
import { type Clock, DeadlinePassed, unlessAborted, withDeadline } from '../../support/clock.ts';
import { formatAddress } from '../../support/network.ts';
import type { Secret } from '../../support/secret.ts';
import { type Finding, ok, skipped, wrong } from '../step.ts';
import { explainLoginFailure, lacksTls, rootCertUnusable, sslmodeWithoutTls } from './failure.ts';
import { openSession, type Progress, type ServerInfo, type SessionOptions } from './session.ts';
import { isSocketDirectory, type LoginTarget, mayShowToken, verifiesServer } from './target.ts';

export interface LoginContext {
  readonly clock: Clock;
  /** How long all of it may take; less when the client would give up earlier. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Resolves a name to its addresses; the system's resolver by default. */
  readonly lookUp?: (name: string) => Promise<readonly string[]>;
}

/** Logs in with the token as a client would, runs nothing, and reports the outcome. */
export async function login(
  target: LoginTarget,
  token: Secret,
  { clock, timeoutMs, signal, lookUp = lookUpAll }: LoginContext,
): Promise<Finding> {
  const { sslmode, rootCertPath, connectTimeoutMs = timeoutMs } = target;
  const server = formatAddress(target);
  if (mayShowToken(target)) return wrong('login', sslmodeWithoutTls({ sslmode, server }));
  const limitMs = Math.min(timeoutMs, connectTimeoutMs);
  const progress: Progress = { stage: 'name', address: undefined, asked: undefined };
  const startMs = clock.now().monotonicMs;
  try {
    const tls = await tlsFor(target);
    const password = () => token.unwrap();
    const serverInfo = await withDeadline(clock, limitMs, signal, async (inTime) => {
      const addresses = await addressesOf(target, lookUp, inTime);
      return await tryAddresses(
        addresses,
        { target, tls, password, progress, signal: inTime },
        clock,
        limitMs,
      );
    });
    return ok(
      'login',
      describeLogin(target, progress, serverInfo, clock.now().monotonicMs - startMs),
    );
  } catch (error) {
    if (signal.aborted) return skipped('login', `the login to ${server} was interrupted`);
    if (error instanceof UnusableCa) {
      return wrong('login', rootCertUnusable({ path: rootCertPath ?? '', why: error.message }));
    }
    return explainLoginFailure(error, { ...progress, target, token, timeoutMs: limitMs });
  }
}

/**
 * Tries one address after the other until one accepts the connection, as libpq does. Each has an
 * equal share of the time, so that an address which does not answer leaves some to the others.
 */
async function tryAddresses(
  addresses: readonly string[],
  options: Omit<SessionOptions, 'address'>,
  clock: Clock,
  limitMs: number,
): Promise<ServerInfo> {
  const { target, progress, signal } = options;
  const shareMs = limitMs / addresses.length;
  for (const address of addresses.slice(0, -1)) {
    try {
      return await tryFor(shareMs, { ...options, address }, clock);
    } catch (error) {
      if (signal.aborted || progress.stage !== 'connection') throw error;
    }
  }
  return await tryAddress({ ...options, address: addresses.at(-1) ?? target.host });
}

/** Gives up on an address that has not accepted the connection within `shareMs`. */
async function tryFor(shareMs: number, options: SessionOptions, clock: Clock): Promise<ServerInfo> {
  const { progress, signal } = options;
  const timeout = new AbortController();
  const done = new AbortController();
  void clock.sleep(shareMs, done.signal).then(() => {
    if (progress.stage === 'connection') timeout.abort(new DeadlinePassed());
  });
  const either = AbortSignal.any([signal, timeout.signal]);
  try {
    return await tryAddress({ ...options, signal: either });
  } finally {
    done.abort();
  }
}

async function addressesOf(
  { host, hostaddr }: LoginTarget,
  lookUp: NonNullable<LoginContext['lookUp']>,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (hostaddr !== undefined) return [hostaddr];
  if (isSocketDirectory(host) || isIP(host) !== 0) return [host];
  return await unlessAborted(lookUp(host), signal);
}

async function lookUpAll(name: string): Promise<string[]> {
  const found = await lookup(name, { all: true });
  return found.map(({ address }) => address);
}

async function tryAddress(options: SessionOptions): Promise<ServerInfo> {
  const { target, address, progress } = options;
  progress.stage = 'connection';
  progress.address = address;
  try {
    return await openSession(options);
  } catch (error) {
    const mayGoWithout = target.sslmode === 'allow' || target.sslmode === 'prefer';
    if (!mayGoWithout || !lacksTls(error)) throw error;
    return await openSession({ ...options, tls: false });
  }
}

/** The same as libpq's: https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-SSLMODE-STATEMENTS */
async function tlsFor(target: LoginTarget): Promise<ConnectionOptions | false> {
  const { host, sslmode, rootCertPath } = target;
  if (sslmode === 'disable' || isSocketDirectory(host)) return false;
  // The handshake (SNI) names a host, never an address.
  const named = isIP(host) === 0 ? { servername: host } : { host };
  if (!verifiesServer(target)) return { ...named, rejectUnauthorized: false };
  const ca = await rootsAt(rootCertPath);
  const anyName = sslmode === 'verify-full' ? {} : { checkServerIdentity: () => undefined };
  // Set explicitly: NODE_TLS_REJECT_UNAUTHORIZED would decide otherwise, which libpq does not know.
  return { ...named, ...anyName, ca, rejectUnauthorized: true };
}

async function rootsAt(path: string | undefined): Promise<string[]> {
  if (path === 'system') return getCACertificates('system');
  if (path === undefined) return [...getCACertificates('default'), ...getCACertificates('system')];
  return [...(await readCa(path))];
}

function describeLogin(
  target: LoginTarget,
  { address }: Progress,
  { serverVersion, tlsVersion }: ServerInfo,
  tookMs: number,
): string {
  const { user, database, sslmode } = target;
  const trust = verifiesServer(target) ? '' : ` (sslmode=${sslmode} verifies nothing)`;
  const tls = tlsVersion === undefined ? 'without TLS' : `${tlsVersion}${trust}`;
  const where =
    address === target.host ? formatAddress(target) : `${formatAddress(target)} (${address})`;
  return `${user} logged in to database ${database} at ${where}: PostgreSQL ${serverVersion}, ${tls}, ${Math.round(tookMs)} ms`;
}
