import type { X509Certificate } from 'node:crypto';
import type { Step } from '../../entra/connect.ts';
import type { Clock } from '../../support/clock.ts';

/** How far a connection to one peer got. */
export interface Hop {
  /** `HOST` or `HOST:PORT`, as in its URL. */
  readonly host: string;
  /** What its name resolves to; empty for an address, and for a name that does not. */
  readonly addresses: readonly string[];
  /** The addresses that a connection was tried to. */
  readonly tried: readonly string[];
  /** The address and port that take connections, and how long it took, the name's resolution aside. */
  readonly connected: { readonly address: string; readonly tookMs: number } | undefined;
  /** Whether a TLS handshake with it began, perhaps through an HTTP proxy. */
  readonly handshaking: boolean;
  /** What it presented, trusted or not. */
  readonly certificate: X509Certificate | undefined;
  /** Whether requests can go to it now. */
  readonly ready: boolean;
}

type Noted = { -readonly [K in keyof Hop]: Hop[K] } & {
  readonly tried: string[];
  /** When the name's resolution was over, by the monotonic clock. */
  resolvedAtMs: number;
};

export interface Trace {
  /** The one asked, then the HTTP proxy on the way there, if there is one. */
  readonly hops: readonly Hop[];
  readonly onStep: (step: Step) => void;
}

/** Notes whom an attempt connects to, and how far it gets. */
export function createTrace(clock: Clock): Trace {
  const hops: Noted[] = [];
  const hopTo = (host: string): Noted => {
    const known = hops.find((hop) => hop.host === host);
    if (known !== undefined) return known;
    const hop: Noted = {
      host,
      addresses: [],
      tried: [],
      connected: undefined,
      handshaking: false,
      certificate: undefined,
      ready: false,
      resolvedAtMs: clock.now().monotonicMs,
    };
    hops.push(hop);
    return hop;
  };
  return { hops, onStep: (step) => note(hopTo(step.host), step, clock) };
}

function note(hop: Noted, step: Step, clock: Clock): void {
  switch (step.type) {
    case 'resolved':
      hop.addresses = step.addresses;
      hop.resolvedAtMs = clock.now().monotonicMs;
      return;
    case 'connecting':
      hop.tried.push(step.address);
      return;
    case 'connected': {
      const tookMs = clock.now().monotonicMs - hop.resolvedAtMs;
      hop.connected = { address: step.address, tookMs };
      return;
    }
    case 'handshaking':
      hop.handshaking = true;
      return;
    case 'presented':
      hop.certificate = step.certificate;
      return;
    case 'ready':
      hop.ready = true;
      return;
    default:
  }
}
