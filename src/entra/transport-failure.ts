import type { PgpassdError } from '../support/errors.ts';
import { errorOf, type Failure, type FailureKind, failure } from '../support/failure.ts';
import type { Step } from './connect.ts';
import type { TransportKind } from './transport.ts';

type Obstacle = 'distrust' | 'no-name' | 'no-route' | 'http-proxy' | 'cut-off';

type Kind = FailureKind<'host' | 'problem'>;

const unreachable = (id: string, remedy: string): Kind =>
  failure<'host' | 'problem'>(id, 'entra.unreachable', ({ host, problem }) => ({
    found: `${host} cannot be reached: ${problem}`,
    remedy,
  }));

const untrusted = (id: string, remedy: string): Kind =>
  failure<'host' | 'problem'>(id, 'entra.untrusted', ({ host, problem }) => ({
    found: `${host} cannot be reached: ${problem}`,
    remedy,
  }));

const always = {
  'http-proxy': unreachable(
    'authority-http-proxy',
    'Check HTTPS_PROXY, including its user and password, and that the proxy may connect to this host; NO_PROXY exempts hosts.',
  ),
  'cut-off': unreachable(
    'authority-cut-off',
    'pgpassd retries; if this persists, check the proxy or firewall in between.',
  ),
};

/** Which settings to check depends on the transport. */
export const transportFailures: Readonly<Record<TransportKind, Readonly<Record<Obstacle, Kind>>>> =
  {
    direct: {
      ...always,
      'no-name': unreachable(
        'authority-name',
        'Check AZURE_AUTHORITY_HOST (--authority-host) and the DNS of the pod.',
      ),
      'no-route': unreachable(
        'authority-no-route',
        'Allow egress from the pod to the authority host on its port (NetworkPolicy, firewall, proxy).',
      ),
      distrust: untrusted(
        'authority-untrusted',
        'If a proxy or a private authority signs with its own CA, name that CA with --ca-file; otherwise the connection may be intercepted.',
      ),
    },
    'token-proxy': {
      ...always,
      'no-name': unreachable(
        'token-proxy-name',
        'Check AZURE_KUBERNETES_TOKEN_PROXY and the DNS of the pod.',
      ),
      'no-route': unreachable(
        'token-proxy-no-route',
        'Check AZURE_KUBERNETES_TOKEN_PROXY, and allow egress from the pod to it (NetworkPolicy).',
      ),
      distrust: untrusted(
        'token-proxy-untrusted',
        "Check that AZURE_KUBERNETES_CA_FILE or AZURE_KUBERNETES_CA_DATA is the token proxy's CA, and that AZURE_KUBERNETES_SNI_NAME is the name on its certificate.",
      ),
    },
  };

interface Reading {
  readonly obstacle: Obstacle;
  readonly problem: string;
}

const noName: Reading = { obstacle: 'no-name', problem: 'its name does not resolve' };
const noRoute: Reading = { obstacle: 'no-route', problem: 'no connection can be made' };
const cutOff: Reading = { obstacle: 'cut-off', problem: 'the connection was closed' };
const distrust = (problem: string): Reading => ({ obstacle: 'distrust', problem });
const httpProxy = (problem: string): Reading => ({ obstacle: 'http-proxy', problem });

/** Node's, OpenSSL's and undici's codes for what can happen before there is an answer. */
const readings: Readonly<Record<string, Reading>> = {
  ENOTFOUND: noName,
  EAI_AGAIN: noName,
  ECONNREFUSED: noRoute,
  EHOSTUNREACH: noRoute,
  ENETUNREACH: noRoute,
  ETIMEDOUT: noRoute,
  UND_ERR_CONNECT_TIMEOUT: noRoute,
  ECONNRESET: cutOff,
  EPIPE: cutOff,
  UND_ERR_SOCKET: cutOff,
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: cutOff,
  UND_ERR_ABORTED: httpProxy('the HTTP proxy refuses to connect to it'),
  UND_ERR_PRX_CONN: httpProxy('the HTTP proxy closed the connection'),
  UND_ERR_PRX_TLS: distrust("the HTTP proxy's certificate is for another name"),
  CERT_HAS_EXPIRED: distrust('its certificate has expired'),
  CERT_NOT_YET_VALID: distrust('its certificate is not valid yet: compare the clocks'),
  DEPTH_ZERO_SELF_SIGNED_CERT: distrust('its certificate is self-signed'),
  SELF_SIGNED_CERT_IN_CHAIN: distrust('its certificate is signed by an unknown CA'),
  UNABLE_TO_GET_ISSUER_CERT: distrust('its certificate is signed by an unknown CA'),
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: distrust('its certificate is signed by an unknown CA'),
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: distrust('its certificate is signed by an unknown CA'),
  CERT_SIGNATURE_FAILURE: distrust('the signature of its certificate is wrong'),
  ERR_TLS_CERT_ALTNAME_INVALID: distrust('its certificate is for another name'),
};

/** OpenSSL has more reasons to refuse a certificate than the table above has rows. */
const REFUSED_CERTIFICATE = /^(?:CERT_|INVALID_|PATH_LENGTH_EXCEEDED|HOSTNAME_MISMATCH|ERR_TLS_)/;

/** Why a request could not be sent. Only the code of `error` is used: its text may quote the request. */
export function explainTransportError(
  error: unknown,
  url: string,
  kind: TransportKind,
): PgpassdError {
  const code = firstCode(error);
  const { host } = new URL(url);
  const { obstacle, problem } = readings[code] ?? readUnknown(code);
  return errorOf(transportFailures[kind][obstacle]({ host, problem }), { cause: error });
}

function readUnknown(code: string): Reading {
  if (REFUSED_CERTIFICATE.test(code)) return distrust(`its certificate is refused (${code})`);
  return { obstacle: 'cut-off', problem: `the request failed (${code})` };
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

const timeout = (id: string, remedy: string) =>
  failure<'host' | 'seconds' | 'phase'>(id, 'entra.timeout', ({ host, seconds, phase }) => ({
    found: `${host} did not answer within ${seconds} s: time ran out ${phase}`,
    remedy: `${remedy}, or allow more time with --request-timeout (with once also --timeout).`,
  }));

/** By the phase in which time ran out. */
export const timeouts = {
  name: timeout('timeout-name', 'Check that the DNS of the pod answers'),
  connection: timeout(
    'timeout-connection',
    'Check that the pod may connect to it (NetworkPolicy, firewall, proxy)',
  ),
  handshake: timeout(
    'timeout-handshake',
    'Check what is in between: a firewall or proxy may accept the connection but forward nothing, or drop a ClientHello that takes more than one packet (docs/settings.md says how to send a smaller one)',
  ),
  tunnel: timeout(
    'timeout-tunnel',
    'Check that the proxy of HTTPS_PROXY may connect to this host; NO_PROXY exempts hosts that need none',
  ),
  answer: timeout(
    'timeout-answer',
    'Check the network path out of the pod (NetworkPolicy, firewall, proxy)',
  ),
};

/** Time ran out for a request to `url` after `lastStep`. */
export function explainTimeout(lastStep: Step | undefined, url: string, seconds: number): Failure {
  const { host } = new URL(url);
  const [name, phase] = phaseAfter(lastStep, host);
  return timeouts[name]({ host, seconds, phase });
}

function phaseAfter(
  step: Step | undefined,
  target: string,
): [name: keyof typeof timeouts, phase: string] {
  const isAtProxy = step !== undefined && step.host !== target;
  const proxy = (words: string) => (isAtProxy ? ` ${words} the HTTP proxy` : '');
  switch (step?.type) {
    case undefined:
    case 'wanted':
    case 'resolving':
      return ['name', `in the name resolution${proxy('of')}`];
    case 'resolved':
    case 'connecting':
      return ['connection', `in the TCP connection${proxy('to')}`];
    case 'connected':
    case 'handshaking':
    case 'presented':
      return ['handshake', `in the TLS handshake${proxy('with')}`];
    case 'ready':
      return isAtProxy
        ? ['tunnel', 'in the HTTP proxy CONNECT']
        : ['answer', 'waiting for the answer'];
    case 'answering':
      return ['answer', 'reading the answer'];
  }
}
