import type { X509Certificate } from 'node:crypto';
import type { TransportKind } from '../../entra/transport.ts';
import { explainTransportError } from '../../entra/transport-failure.ts';
import { seconds } from '../../support/duration.ts';
import { PgpassdError } from '../../support/errors.ts';
import { boundedText } from '../../support/printable.ts';
import * as causes from '../causes/network.ts';
import { type Finding, failed, ok, wrong } from '../finding.ts';
import type { Trip } from './reach.ts';
import type { Hop } from './trace.ts';

const STEP = 'network';

/** How far it got, on the way before the end of the way. */
export function progressIn({ hops }: Trip, url: URL): readonly Finding[] {
  return hops.toReversed().flatMap((hop) => progressOf(hop, url));
}

function progressOf(hop: Hop, url: URL): readonly Finding[] {
  const { host, addresses, connected, certificate, ready } = hop;
  const stages = [
    addresses.length > 0 && `resolves to ${listed(addresses)}`,
    connected && `${connected.address} takes connections (${Math.round(connected.tookMs)} ms)`,
    ready && certificate && `certificate ${describe(certificate)}`,
  ].filter((stage) => typeof stage === 'string');
  if (stages.length === 0) return [];
  const name = host === url.host ? host : `HTTP proxy ${host}`;
  return [ok(STEP, `${name}: ${stages.join('; ')}`)];
}

/** What kept it from getting there; `tookMs` is how long the trip lasted. */
export function obstacleIn(
  trip: Trip,
  url: URL,
  kind: TransportKind,
  tookMs: number,
): Finding | undefined {
  const { hops, answer, error, outOfTime } = trip;
  const target = hops.find(({ host }) => host === url.host);
  // What breaks once it is connected is the exchange's to tell: that asks for what matters.
  if (answer !== undefined || target?.ready) return undefined;
  const proxy = hops.find(({ host }) => host !== url.host);
  if (outOfTime) return silence(url, target, proxy, seconds(tookMs));
  if (error instanceof PgpassdError) return failed(STEP, error);
  if (proxy?.ready === false) {
    const { code, message } = explainTransportError(error, `http://${proxy.host}`, kind);
    return code === 'entra.untrusted'
      ? wrong(STEP, causes.httpProxyUntrusted({ problem: message }))
      : wrong(STEP, causes.httpProxyUnreachable({ problem: message }));
  }
  return failed(STEP, presenting(target, explainTransportError(error, url.href, kind)));
}

/** Time was up: at what it waited shows who was silent. */
function silence(
  { host }: URL,
  target: Hop | undefined,
  proxy: Hop | undefined,
  inSeconds: number,
): Finding {
  if (proxy?.ready && target?.handshaking) {
    const where = `through the HTTP proxy ${proxy.host}`;
    return wrong(STEP, causes.tlsSilent({ host, where, seconds: inSeconds }));
  }
  if (proxy?.ready) {
    return wrong(STEP, causes.httpProxySilent({ proxy: proxy.host, host, seconds: inSeconds }));
  }
  const peer = proxy ?? target;
  const about = { host: peer?.host ?? host, seconds: inSeconds };
  if (peer?.connected !== undefined) {
    return wrong(
      STEP,
      causes.tlsSilent({
        ...about,
        where: `at ${peer.connected.address}`,
      }),
    );
  }
  return peer === undefined || peer.tried.length === 0
    ? wrong(STEP, causes.dnsSilent(about))
    : wrong(STEP, causes.connectSilent({ ...about, addresses: listed(peer.tried) }));
}

/** Whose certificate it is that is not trusted: often that of a firewall which reads along. */
function presenting(hop: Hop | undefined, error: PgpassdError): PgpassdError {
  const { code, message } = error;
  if (code !== 'entra.untrusted' || hop?.certificate === undefined) return error;
  return error.withMessage(`${message} (the certificate is ${describe(hop.certificate)})`);
}

function describe({ issuer, validFromDate, validToDate }: X509Certificate): string {
  const [, name = issuer] = /^CN=(.*)$/m.exec(issuer) ?? /^O=(.*)$/m.exec(issuer) ?? [];
  return `from ${boundedText(name)}, valid from ${dayOf(validFromDate)} to ${dayOf(validToDate)}`;
}

/** A certificate that nobody trusts may tell no date at all. */
function dayOf(date: Date): string {
  return Number.isNaN(date.getTime()) ? 'untold' : date.toISOString().slice(0, 10);
}

const MOST_LISTED = 3;

function listed(addresses: readonly string[]): string {
  const more = addresses.length - MOST_LISTED;
  const shown = addresses.slice(0, MOST_LISTED).join(', ');
  return more > 0 ? `${shown} and ${more} more` : shown;
}
