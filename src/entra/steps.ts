import type { X509Certificate } from 'node:crypto';

/** What happens on the way to an answer. `host` is a peer's `HOST` or `HOST:PORT`, as in its URL. */
export type Step =
  /** A connection to `host` is wanted; an HTTP proxy on the way there comes after it. */
  | { readonly type: 'wanted'; readonly host: string }
  | { readonly type: 'resolving'; readonly host: string }
  /** Without addresses when `host` is one itself. */
  | { readonly type: 'resolved'; readonly host: string; readonly addresses: readonly string[] }
  /** A connection to one of its addresses is tried. */
  | { readonly type: 'connecting'; readonly host: string; readonly address: string }
  /** An address and its port took the connection. */
  | { readonly type: 'connected'; readonly host: string; readonly address: string }
  | { readonly type: 'handshaking'; readonly host: string }
  /** The peer's certificate, trusted or not. */
  | {
      readonly type: 'presented';
      readonly host: string;
      readonly certificate: X509Certificate | undefined;
    }
  /** Requests can go to it now: to an HTTP proxy that for a tunnel. */
  | { readonly type: 'ready'; readonly host: string }
  /** The beginning of the answer is there. */
  | { readonly type: 'answering'; readonly host: string };

export interface Phase {
  /** The end of a sentence that says when time ran out. */
  readonly words: string;
  /** What to do about it; a sentence that lacks its end. */
  readonly remedy: string;
}

const wayOut = 'Check the way out of the pod (NetworkPolicy, firewall, proxy)';
const dns = 'See that the DNS of the pod answers';
const handshake =
  'See what is in between: a firewall or proxy may let the connection through and nothing else, or drop a ClientHello that takes more than one packet (docs/settings.md says how to send a smaller one)';
const tunnel =
  'See that the proxy of HTTPS_PROXY may connect to this host; NO_PROXY exempts hosts that need none';

/** What an attempt that asks `target` is at after `step`, its last. */
export function phaseAfter(step: Step | undefined, target: string): Phase {
  const atProxy = step !== undefined && step.host !== target;
  const about = (words: string) => (atProxy ? ` ${words} the HTTP proxy` : '');
  switch (step?.type) {
    case undefined:
    case 'wanted':
    case 'resolving':
      return { words: `in the name resolution${about('of')}`, remedy: dns };
    case 'resolved':
    case 'connecting':
      return { words: `in the TCP connection${about('to')}`, remedy: wayOut };
    case 'connected':
    case 'handshaking':
    case 'presented':
      return { words: `in the TLS handshake${about('with')}`, remedy: handshake };
    case 'ready':
      return atProxy
        ? { words: 'in the HTTP proxy CONNECT', remedy: tunnel }
        : { words: 'waiting for the answer', remedy: wayOut };
    case 'answering':
      return { words: 'reading the answer', remedy: wayOut };
  }
}
