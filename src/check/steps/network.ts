import type { X509Certificate } from 'node:crypto';
import type { WorkloadIdentitySettings } from '../../config/source.ts';
import { openTransport, type TransportKind } from '../../entra/transport.ts';
import { explainTransportError } from '../../entra/transport-failure.ts';
import { asPgpassdError, failure, PgpassdError } from '../../support/errors.ts';
import { sanitizeValue, seconds } from '../../support/text.ts';
import { type Hop, type Reach, reach } from '../network.ts';
import {
  type CheckContext,
  type Finding,
  failed,
  ok,
  skipped,
  timeoutMsOf,
  wrong,
} from '../step.ts';
import type { AuthorityClock } from './clocks.ts';

export const httpProxyUnreachable = failure<'problem'>(
  'http-proxy-unreachable',
  'entra.unreachable',
  ({ problem }) => ({
    found: `the HTTP proxy ${problem}`,
    remedy:
      'Check HTTPS_PROXY, and allow egress from the pod to the proxy that it names; NO_PROXY lists the hosts that are reached without it.',
  }),
);

export const httpProxyUntrusted = failure<'problem'>(
  'http-proxy-untrusted',
  'entra.untrusted',
  ({ problem }) => ({
    found: `the HTTP proxy ${problem}`,
    remedy:
      'Check that HTTPS_PROXY names the proxy as its certificate does; if a CA of your own signed that certificate, pass the CA with --ca-file.',
  }),
);

export const httpProxySilent = failure<'proxy' | 'host' | 'seconds'>(
  'http-proxy-silent',
  'entra.timeout',
  ({ proxy, host, seconds }) => ({
    found: `the HTTP proxy ${proxy} did not connect to ${host} within ${seconds} s`,
    remedy: `Allow the proxy in HTTPS_PROXY to connect to ${host}; NO_PROXY lists the hosts that are reached without it, and --request-timeout allows more time.`,
  }),
);

export const dnsSilent = failure<'host' | 'seconds'>(
  'dns-silent',
  'entra.timeout',
  ({ host, seconds }) => ({
    found: `the name ${host} was not resolved within ${seconds} s`,
    remedy:
      "Allow the pod to reach the cluster's DNS (in a NetworkPolicy: egress to port 53, UDP and TCP), and check that it answers.",
  }),
);

export const connectSilent = failure<'host' | 'seconds' | 'addresses'>(
  'connect-silent',
  'entra.timeout',
  ({ host, seconds, addresses }) => ({
    found: `no connection to ${host} was established within ${seconds} s (${addresses})`,
    remedy: `Allow egress from the pod to ${host} (NetworkPolicy, network security group, firewall), or more time with --request-timeout.`,
  }),
);

export const tlsSilent = failure<'host' | 'where' | 'seconds'>(
  'tls-silent',
  'entra.timeout',
  ({ host, where, seconds }) => ({
    found: `${host} accepts connections ${where}, but did not complete a TLS handshake within ${seconds} s`,
    remedy:
      'Check the firewalls and proxies in between: one may accept the connection and forward nothing, or drop a ClientHello of more than one packet (docs/settings.md says how to send a smaller one). --request-timeout allows more time.',
  }),
);

const STEP = 'network';

export interface NetworkReport {
  readonly findings: readonly Finding[];
  /** Whether an exchange is worth trying. */
  readonly reached: boolean;
  /** Absent when no answer had a date. */
  readonly authority: AuthorityClock | undefined;
}

/** Name resolution, connection and TLS to the server that answers token requests, with or without a proxy. */
export async function checkNetwork(context: CheckContext): Promise<NetworkReport> {
  const { source, values } = context.reading;
  if (values.offline === true) return notTried('--offline', false);
  if (values.tokenCommand !== undefined) {
    return notTried('the token command makes its own connections', true);
  }
  if (source?.kind !== 'workload-identity') return notTried('the settings are incomplete', false);
  return await tryToReach(source, context);
}

function notTried(why: string, reached: boolean): NetworkReport {
  return { findings: [skipped(STEP, `not tried: ${why}`)], reached, authority: undefined };
}

async function tryToReach(
  settings: WorkloadIdentitySettings,
  context: CheckContext,
): Promise<NetworkReport> {
  const { clock, env, signal } = context;
  const transport = await openTransport(settings, env).catch(asPgpassdError);
  if (transport instanceof PgpassdError) return notTried(transport.message, false);
  const { tokenEndpoint } = settings.exchange;
  const timeoutMs = timeoutMsOf(context);
  const startedMs = clock.now().monotonicMs;
  const outcome = await reach(tokenEndpoint, transport, { clock, timeoutMs, signal });
  if (signal.aborted) {
    return { findings: [skipped(STEP, 'interrupted')], reached: false, authority: undefined };
  }
  const url = new URL(transport.urlFor(tokenEndpoint));
  const tookMs = clock.now().monotonicMs - startedMs;
  const obstacle = obstacleIn(outcome, url, transport.kind, tookMs);
  const progress = progressIn(outcome, url);
  return {
    findings: obstacle === undefined ? progress : [...progress, obstacle],
    reached: obstacle === undefined,
    authority: clockOf(outcome, url.host),
  };
}

/** A Date header has whole seconds; the middle of its second is the best guess. */
function clockOf({ answer }: Reach, host: string): AuthorityClock | undefined {
  const { date, age } = answer?.headers ?? {};
  // An answer from a cache has the date at which it was stored.
  if (answer === undefined || typeof date !== 'string' || age !== undefined) return undefined;
  const dateMs = Date.parse(date);
  if (Number.isNaN(dateMs)) return undefined;
  return { host, leadMs: dateMs + 500 - answer.receivedAtMs };
}

/** How far it got: an HTTP proxy on the way first, then the server. */
export function progressIn({ hops }: Reach, url: URL): readonly Finding[] {
  return hops.toReversed().flatMap((hop) => progressOf(hop, url));
}

function progressOf(hop: Hop, url: URL): readonly Finding[] {
  const { host, addresses, connected, certificate, ready } = hop;
  const stages = [
    addresses.length > 0 && `resolves to ${listed(addresses)}`,
    connected && `${connected.address} accepts connections (${Math.round(connected.tookMs)} ms)`,
    ready && certificate && `certificate ${describeCertificate(certificate)}`,
  ].filter((stage) => typeof stage === 'string');
  if (stages.length === 0) return [];
  const name = host === url.host ? host : `HTTP proxy ${host}`;
  return [ok(STEP, `${name}: ${stages.join('; ')}`)];
}

/** Why the server was not reached; `tookMs` is how long the attempt lasted. */
export function obstacleIn(
  { hops, answer, error, outOfTime }: Reach,
  url: URL,
  kind: TransportKind,
  tookMs: number,
): Finding | undefined {
  const target = hops.find(({ host }) => host === url.host);
  // A failure after the handshake is left to the exchange, which sends the request that matters.
  if (answer !== undefined || target?.ready) return undefined;
  const proxy = hops.find(({ host }) => host !== url.host);
  if (outOfTime) return silence(url, target, proxy, seconds(tookMs));
  if (error instanceof PgpassdError) return failed(STEP, error);
  if (proxy?.ready === false) {
    const { code, message } = explainTransportError(error, `http://${proxy.host}`, kind);
    return code === 'entra.untrusted'
      ? wrong(STEP, httpProxyUntrusted({ problem: message }))
      : wrong(STEP, httpProxyUnreachable({ problem: message }));
  }
  return failed(STEP, withCertificate(target, explainTransportError(error, url.href, kind)));
}

/** After a timeout: the stage that was reached says which peer did not answer. */
function silence(
  { host }: URL,
  target: Hop | undefined,
  proxy: Hop | undefined,
  inSeconds: number,
): Finding {
  if (proxy?.ready && target?.handshaking) {
    const where = `through the HTTP proxy ${proxy.host}`;
    return wrong(STEP, tlsSilent({ host, where, seconds: inSeconds }));
  }
  if (proxy?.ready) {
    return wrong(STEP, httpProxySilent({ proxy: proxy.host, host, seconds: inSeconds }));
  }
  const peer = proxy ?? target;
  const about = { host: peer?.host ?? host, seconds: inSeconds };
  if (peer?.connected !== undefined) {
    return wrong(STEP, tlsSilent({ ...about, where: `at ${peer.connected.address}` }));
  }
  return peer === undefined || peer.tried.length === 0
    ? wrong(STEP, dnsSilent(about))
    : wrong(STEP, connectSilent({ ...about, addresses: listed(peer.tried) }));
}

/** Names the issuer of an untrusted certificate: often a firewall that inspects TLS. */
function withCertificate(hop: Hop | undefined, error: PgpassdError): PgpassdError {
  const { code, message } = error;
  if (code !== 'entra.untrusted' || hop?.certificate === undefined) return error;
  return error.withMessage(
    `${message} (the certificate is ${describeCertificate(hop.certificate)})`,
  );
}

function describeCertificate({ issuer, validFromDate, validToDate }: X509Certificate): string {
  const [, name = issuer] = /^CN=(.*)$/m.exec(issuer) ?? /^O=(.*)$/m.exec(issuer) ?? [];
  return `from ${sanitizeValue(name)}, valid from ${dayOf(validFromDate)} to ${dayOf(validToDate)}`;
}

/** An untrusted certificate may lack a valid date. */
function dayOf(date: Date): string {
  return Number.isNaN(date.getTime()) ? 'an unknown date' : date.toISOString().slice(0, 10);
}

const MOST_LISTED = 3;

function listed(addresses: readonly string[]): string {
  const more = addresses.length - MOST_LISTED;
  const shown = addresses.slice(0, MOST_LISTED).join(', ');
  return more > 0 ? `${shown} and ${more} more` : shown;
}
