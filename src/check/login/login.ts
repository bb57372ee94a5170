import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { type ConnectionOptions, getCACertificates } from 'node:tls';
import { readCa, UnusableCa } from '../../entra/trust.ts';
import type { Clock } from '../../support/clock.ts';
import { DeadlinePassed, unlessAborted, withDeadline } from '../../support/deadline.ts';
import type { Secret } from '../../support/secret.ts';
import { formatAddress } from '../../support/text.ts';
import { rootCertUnusable, sslmodeWithoutTls } from '../causes/connection.ts';
import { type Finding, ok, skipped, wrong } from '../finding.ts';
import { explainLoginFailure, lacksTls } from './failure.ts';
import { type Conversation, converse, type Progress, type Welcome } from './session.ts';
import { isSocketDirectory, type LoginTarget, mayShowToken, verifiesServer } from './target.ts';

export interface LoginContext {
  readonly clock: Clock;
  /** How long all of it may take; less when the client itself would give up earlier. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** The addresses of a name; as the system resolves it, unless told otherwise. */
  readonly lookUp?: (name: string) => Promise<readonly string[]>;
}

/** Logs in with the token as a client would, runs nothing, and tells how that went. */
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
    const welcome = await withDeadline(clock, limitMs, signal, async (inTime) => {
      const addresses = await addressesOf(target, lookUp, inTime);
      return await tryAddresses(
        addresses,
        { target, tls, password, progress, signal: inTime },
        clock,
        limitMs,
      );
    });
    return ok('login', describe(target, progress, welcome, clock.now().monotonicMs - startMs));
  } catch (error) {
    if (signal.aborted) return skipped('login', `the login to ${server} was interrupted`);
    if (error instanceof UnusableCa) {
      return wrong('login', rootCertUnusable({ path: rootCertPath ?? '', why: error.message }));
    }
    return explainLoginFailure(error, { ...progress, target, token, timeoutMs: limitMs });
  }
}

/**
 * One address after the other until one takes the connection, as libpq does. Each has an equal share
 * of the time to take it, so that one which is silent leaves some to the others.
 */
async function tryAddresses(
  addresses: readonly string[],
  conversation: Omit<Conversation, 'address'>,
  clock: Clock,
  limitMs: number,
): Promise<Welcome> {
  const { target, progress, signal } = conversation;
  const shareMs = limitMs / addresses.length;
  for (const address of addresses.slice(0, -1)) {
    try {
      return await tryFor(shareMs, { ...conversation, address }, clock);
    } catch (error) {
      if (signal.aborted || progress.stage !== 'connection') throw error;
    }
  }
  return await tryAddress({ ...conversation, address: addresses.at(-1) ?? target.host });
}

/** Gives an address up when it has not taken the connection within `shareMs`. */
async function tryFor(shareMs: number, conversation: Conversation, clock: Clock): Promise<Welcome> {
  const { progress, signal } = conversation;
  const silent = new AbortController();
  const over = new AbortController();
  void clock.sleep(shareMs, over.signal).then(() => {
    if (progress.stage === 'connection') silent.abort(new DeadlinePassed());
  });
  const either = AbortSignal.any([signal, silent.signal]);
  try {
    return await tryAddress({ ...conversation, signal: either });
  } finally {
    over.abort();
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

async function tryAddress(conversation: Conversation): Promise<Welcome> {
  const { target, address, progress } = conversation;
  progress.stage = 'connection';
  progress.address = address;
  try {
    return await converse(conversation);
  } catch (error) {
    const inTheClear = target.sslmode === 'allow' || target.sslmode === 'prefer';
    if (!inTheClear || !lacksTls(error)) throw error;
    return await converse({ ...conversation, tls: false });
  }
}

/** As libpq does it: https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-SSLMODE-STATEMENTS */
async function tlsFor(target: LoginTarget): Promise<ConnectionOptions | false> {
  const { host, sslmode, rootCertPath } = target;
  if (sslmode === 'disable' || isSocketDirectory(host)) return false;
  // A name goes into the handshake, too; an address must not.
  const named = isIP(host) === 0 ? { servername: host } : { host };
  if (!verifiesServer(target)) return { ...named, rejectUnauthorized: false };
  const ca = await rootsAt(rootCertPath);
  const anyName = sslmode === 'verify-full' ? {} : { checkServerIdentity: () => undefined };
  // Otherwise NODE_TLS_REJECT_UNAUTHORIZED decides, which libpq knows nothing of.
  return { ...named, ...anyName, ca, rejectUnauthorized: true };
}

async function rootsAt(path: string | undefined): Promise<string[]> {
  if (path === 'system') return getCACertificates('system');
  if (path === undefined) return [...getCACertificates('default'), ...getCACertificates('system')];
  return [...(await readCa(path))];
}

function describe(
  target: LoginTarget,
  { address }: Progress,
  { serverVersion, tlsVersion }: Welcome,
  tookMs: number,
): string {
  const { user, database, sslmode } = target;
  const trust = verifiesServer(target) ? '' : ` (sslmode=${sslmode} verifies nothing)`;
  const tls = tlsVersion === undefined ? 'without TLS' : `${tlsVersion}${trust}`;
  const where =
    address === target.host ? formatAddress(target) : `${formatAddress(target)} (${address})`;
  return `${user} logged in to database ${database} at ${where}: PostgreSQL ${serverVersion}, ${tls}, ${Math.round(tookMs)} ms`;
}
