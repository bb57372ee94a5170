import { type ErrorCode, PgpassdError } from '../support/errors.ts';
import type { WayKind } from './way.ts';

type Obstacle = 'distrust' | 'no-name' | 'no-route' | 'http-proxy' | 'cut-off';

interface Reading {
  readonly code: ErrorCode;
  readonly what: string;
  readonly obstacle: Obstacle;
}

const notTrusted = (what: string): Reading => ({
  code: 'entra.untrusted',
  what,
  obstacle: 'distrust',
});

const notReached = (what: string, obstacle: Obstacle): Reading => ({
  code: 'entra.unreachable',
  what,
  obstacle,
});

const noDns = notReached('its name does not resolve', 'no-name');
const noRoute = notReached('no connection can be made', 'no-route');
const cutOff = notReached('the connection broke', 'cut-off');

const anyWay = {
  'http-proxy':
    'Check HTTPS_PROXY, its user and password included, and that the proxy may connect to this host; NO_PROXY exempts hosts.',
  'cut-off': 'It is tried again; if it keeps happening, look at the proxy or firewall in between.',
};

/** What to look at depends on the way that was gone. */
const remedies: Readonly<Record<WayKind, Readonly<Record<Obstacle, string>>>> = {
  direct: {
    ...anyWay,
    distrust:
      'If a proxy or a private authority signs with its own CA, name that CA with --ca-file; otherwise somebody is in between.',
    'no-name': 'Check AZURE_AUTHORITY_HOST (--authority-host) and the DNS of the pod.',
    'no-route':
      'Allow egress from the pod to the authority host on its port (NetworkPolicy, firewall, proxy).',
  },
  'token-proxy': {
    ...anyWay,
    distrust:
      "Check that AZURE_KUBERNETES_CA_FILE or AZURE_KUBERNETES_CA_DATA is the token proxy's CA, and AZURE_KUBERNETES_SNI_NAME the name on its certificate.",
    'no-name': 'Check AZURE_KUBERNETES_TOKEN_PROXY and the DNS of the pod.',
    'no-route':
      'Check AZURE_KUBERNETES_TOKEN_PROXY, and allow egress from the pod to it (NetworkPolicy).',
  },
};

/** Node's, OpenSSL's and undici's codes for what can happen before there is an answer. */
const readings: Readonly<Record<string, Reading>> = {
  ENOTFOUND: noDns,
  EAI_AGAIN: noDns,
  ECONNREFUSED: noRoute,
  EHOSTUNREACH: noRoute,
  ENETUNREACH: noRoute,
  ETIMEDOUT: noRoute,
  UND_ERR_CONNECT_TIMEOUT: noRoute,
  ECONNRESET: cutOff,
  EPIPE: cutOff,
  UND_ERR_SOCKET: cutOff,
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: cutOff,
  UND_ERR_ABORTED: notReached('the HTTP proxy refuses to connect to it', 'http-proxy'),
  UND_ERR_PRX_CONN: notReached('the HTTP proxy broke off the connection', 'http-proxy'),
  UND_ERR_PRX_TLS: notTrusted("the HTTP proxy's certificate is for another name"),
  CERT_HAS_EXPIRED: notTrusted('its certificate has expired'),
  CERT_NOT_YET_VALID: notTrusted('its certificate is not valid yet: compare the clocks'),
  DEPTH_ZERO_SELF_SIGNED_CERT: notTrusted('its certificate is self-signed'),
  SELF_SIGNED_CERT_IN_CHAIN: notTrusted('its certificate is signed by an unknown CA'),
  UNABLE_TO_GET_ISSUER_CERT: notTrusted('its certificate is signed by an unknown CA'),
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: notTrusted('its certificate is signed by an unknown CA'),
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: notTrusted('its certificate is signed by an unknown CA'),
  CERT_SIGNATURE_FAILURE: notTrusted('the signature of its certificate is wrong'),
  ERR_TLS_CERT_ALTNAME_INVALID: notTrusted('its certificate is for another name'),
};

/** OpenSSL has more reasons to refuse a certificate than are worth words of their own. */
const REFUSED_CERTIFICATE = /^(?:CERT_|INVALID_|PATH_LENGTH_EXCEEDED|HOSTNAME_MISMATCH|ERR_TLS_)/;

/** What a failed attempt to send means. Only the code of `error` is used: its text may quote the request. */
export function explainTransportError(error: unknown, url: string, way: WayKind): PgpassdError {
  const code = firstCode(error);
  const { host } = new URL(url);
  const reading = readings[code] ?? readUnknown(code);
  return new PgpassdError(
    reading.code,
    `${host} cannot be reached: ${reading.what}`,
    remedies[way][reading.obstacle],
    { cause: error },
  );
}

function readUnknown(code: string): Reading {
  if (REFUSED_CERTIFICATE.test(code)) return notTrusted(`its certificate is refused (${code})`);
  return notReached(`the request failed (${code})`, 'cut-off');
}

/** The first code along the causes, and inside an AggregateError (one error for each address tried). */
function firstCode(error: unknown): string {
  const open: unknown[] = [error];
  for (let depth = 0; open.length > 0 && depth < 20; depth += 1) {
    const each = open.shift();
    if (!(each instanceof Error)) continue;
    if ('code' in each && typeof each.code === 'string') return each.code;
    if (each instanceof AggregateError) open.push(...each.errors);
    open.push(each.cause);
  }
  return 'unknown error';
}
