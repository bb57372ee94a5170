import {
  errorOf,
  type Failure,
  type FailureKind,
  failure,
  type PgpassdError,
} from '../support/errors.ts';
import type { Step } from './connect.ts';
import type { TransportKind } from './transport.ts';

type Obstacle = 'distrust' | 'no-name' | 'no-route' | 'http-proxy' | 'cut-off';

/** A value that a kind has no place for is left out of its sentence. */
type Kind = FailureKind<'host' | 'problem'>;

const noName = (id: string, remedy: string): Kind =>
  failure<'host' | 'problem'>(id, 'entra.unreachable', ({ host }) => ({
    found: `${host} cannot be reached: its name does not resolve`,
    remedy,
  }));

const noRoute = (id: string, remedy: string): Kind =>
  failure<'host' | 'problem'>(id, 'entra.unreachable', ({ host }) => ({
    found: `${host} cannot be reached: no connection could be established`,
    remedy,
  }));

const untrusted = (id: string, remedy: string): Kind =>
  failure<'host' | 'problem'>(id, 'entra.untrusted', ({ host, problem }) => ({
    found: `${host} is not trusted: ${problem}`,
    remedy,
  }));

const always = {
  'http-proxy': failure<'host' | 'problem'>(
    'authority-http-proxy',
    'entra.unreachable',
    ({ host, problem }) => ({
      found: `${host} cannot be reached: the HTTP proxy ${problem}`,
      remedy:
        'Check HTTPS_PROXY, including its user and password, and that the proxy may connect to this host; NO_PROXY exempts hosts.',
    }),
  ),
  'cut-off': failure<'host' | 'problem'>(
    'authority-cut-off',
    'entra.unreachable',
    ({ host, problem }) => ({
      found: `the request to ${host} failed: ${problem}`,
      remedy: 'pgpassd retries; if this persists, check the proxy or firewall in between.',
    }),
  ),
};

/** Which settings to check depends on the transport. */
export const transportFailures: Readonly<Record<TransportKind, Readonly<Record<Obstacle, Kind>>>> =
  {
    direct: {
      ...always,
      'no-name': noName(
        'authority-name',
        'Check AZURE_AUTHORITY_HOST (--authority-host) and the DNS of the pod.',
      ),
      'no-route': noRoute(
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
      'no-name': noName(
        'token-proxy-name',
        'Check AZURE_KUBERNETES_TOKEN_PROXY and the DNS of the pod.',
      ),
      'no-route': noRoute(
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

const unresolved: Reading = { obstacle: 'no-name', problem: '' };
const unconnected: Reading = { obstacle: 'no-route', problem: '' };
const cutOff: Reading = { obstacle: 'cut-off', problem: 'the connection was closed' };
const distrust = (problem: string): Reading => ({ obstacle: 'distrust', problem });
const httpProxy = (problem: string): Reading => ({ obstacle: 'http-proxy', problem });

/** Node's, OpenSSL's and undici's codes for what can happen before there is an answer. */
const readings: Readonly<Record<string, Reading>> = {
  ENOTFOUND: unresolved,
  EAI_AGAIN: unresolved,
  ECONNREFUSED: unconnected,
  EHOSTUNREACH: unconnected,
  ENETUNREACH: unconnected,
  ETIMEDOUT: unconnected,
  UND_ERR_CONNECT_TIMEOUT: unconnected,
  ECONNRESET: cutOff,
  EPIPE: cutOff,
  UND_ERR_SOCKET: cutOff,
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: cutOff,
  UND_ERR_ABORTED: httpProxy('refuses to connect to it'),
  UND_ERR_PRX_CONN: httpProxy('closed the connection'),
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
  return { obstacle: 'cut-off', problem: code };
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

/** The time limit was reached in `phase`. */
const timeout = (id: string, phase: string, remedy: string) =>
  failure<'host' | 'seconds'>(id, 'entra.timeout', ({ host, seconds }) => ({
    found: `${host} did not answer within ${seconds} s: timed out ${phase}`,
    remedy: `${remedy}, or allow more time with --request-timeout (with once also --timeout).`,
  }));

const CHECK_EGRESS = 'Check the network path out of the pod (NetworkPolicy, firewall, proxy)';

export const timeouts = {
  name: timeout('timeout-name', 'in the name resolution', 'Check that the DNS of the pod answers'),
  connection: timeout('timeout-connection', 'in the TCP connection', CHECK_EGRESS),
  handshake: timeout(
    'timeout-handshake',
    'in the TLS handshake',
    'Check what is in between: a firewall or proxy may accept the connection but forward nothing, or drop a ClientHello that takes more than one packet (docs/settings.md says how to send a smaller one)',
  ),
  tunnel: timeout(
    'timeout-tunnel',
    'in the HTTP proxy CONNECT',
    'Check that the proxy of HTTPS_PROXY may connect to this host; NO_PROXY exempts hosts that need none',
  ),
  request: timeout('timeout-request', 'waiting for the answer', CHECK_EGRESS),
  answer: timeout('timeout-answer', 'reading the answer', CHECK_EGRESS),
};

/** The time limit was reached by a request to `url` after `lastStep`. */
export function explainTimeout(lastStep: Step | undefined, url: string, seconds: number): Failure {
  const { host } = new URL(url);
  const isAtProxy = lastStep !== undefined && lastStep.host !== host;
  const [phase, connective] = phaseAfter(lastStep?.type, isAtProxy);
  const reason = timeouts[phase]({ host, seconds });
  if (!isAtProxy || connective === undefined) return reason;
  return { ...reason, found: `${reason.found} ${connective} the HTTP proxy` };
}

/** The phase, and how it relates to the HTTP proxy when it is a phase of the connection to that. */
function phaseAfter(
  step: Step['type'] | undefined,
  isAtProxy: boolean,
): readonly [phase: keyof typeof timeouts, connective?: string] {
  switch (step) {
    case undefined:
    case 'wanted':
    case 'resolving':
      return ['name', 'of'];
    case 'resolved':
    case 'connecting':
      return ['connection', 'to'];
    case 'connected':
    case 'handshaking':
    case 'presented':
      return ['handshake', 'with'];
    case 'ready':
      return isAtProxy ? ['tunnel'] : ['request'];
    case 'answering':
      return ['answer'];
  }
}
