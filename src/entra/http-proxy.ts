import { type buildConnector, type Dispatcher, EnvHttpProxyAgent, Pool } from 'undici';
import { errorOf, failure } from '../support/errors.ts';
import { type Attempt, certificateOf, type Trust, tlsOptions } from './connect.ts';

/** Without the URL, and without a cause that holds it: it may contain a password. */
export const httpProxyUrlUnusable = failure<'problem'>(
  'http-proxy-url',
  'config.invalid',
  ({ problem }) => ({
    found: `HTTPS_PROXY ${problem}`,
    remedy:
      'Set it to a URL such as http://proxy.example.com:3128 or http://USER:PASSWORD@proxy.example.com:3128, with %25 for a % in the password, %40 for an @, and %2F for a /.',
  }),
);

/** Without a scheme it is HTTP, as for curl and Go, and has only user, password, host and port. */
const WITHOUT_SCHEME = /^[^/?#\s]+\/?$/;

/**
 * The URL of HTTPS_PROXY.
 *
 * @throws PgpassdError `config.invalid`
 */
export function httpProxyUrl(given: string): string {
  const text = given.trim();
  const [, scheme] = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text) ?? [];
  if (scheme !== undefined && /^socks/i.test(scheme)) {
    throw unusable('names a SOCKS proxy, which pgpassd does not support');
  }
  const isHttp = scheme === undefined ? WITHOUT_SCHEME.test(text) : /^https?$/i.test(scheme);
  const url = isHttp ? URL.parse(scheme === undefined ? `http://${text}` : text) : null;
  if (url === null) throw unusable('is not the URL of an HTTP proxy');
  if (!decodes(url.username) || !decodes(url.password)) {
    throw unusable('has an invalid percent-encoding in its user or password');
  }
  // A proxy has no use for a path: curl and Go ignore it, too.
  return `${url.protocol}//${userOf(url)}${url.host}/`;
}

function userOf({ username, password }: URL): string {
  if (username === '' && password === '') return '';
  return password === '' ? `${username}@` : `${username}:${password}@`;
}

function decodes(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

function unusable(problem: string): Error {
  return errorOf(httpProxyUrlUnusable({ problem }));
}

export interface Proxied {
  /** As `httpProxyUrl` gives it. */
  readonly httpsProxy: string;
  readonly noProxy: string;
  readonly connect: buildConnector.connector;
  readonly trust: Trust;
  readonly onStep: Attempt['onStep'];
}

/** Sends through the HTTP proxy, except to the hosts of NO_PROXY. */
export function httpProxyAgent({
  httpsProxy,
  noProxy,
  connect,
  trust,
  onStep,
}: Proxied): Dispatcher {
  let tunnelled = () => {};
  return new EnvHttpProxyAgent({
    // Plain HTTP is allowed only to loopback, so HTTP_PROXY never applies.
    httpProxy: '',
    httpsProxy,
    noProxy,
    connect,
    // Inside the tunnel.
    requestTls: tlsOptions(trust),
    clientFactory: (origin) => {
      const pool = new Pool(origin, { connect });
      const openTunnel = pool.connect.bind(pool);
      return Object.assign(pool, {
        async connect(options: Parameters<typeof openTunnel>[0]) {
          const tunnel = await openTunnel(options);
          tunnelled();
          return tunnel;
        },
      });
    },
    factory: (origin, options) => {
      const { connect: reach } = options as { connect: buildConnector.connector };
      return new Pool(origin, {
        ...options,
        connect: (target, callback) => {
          const { host = target.hostname } = target;
          tunnelled = () => onStep({ type: 'handshaking', host });
          onStep({ type: 'wanted', host });
          reach(target, (...reached) => {
            const [, socket] = reached;
            if (socket) {
              onStep({ type: 'presented', host, certificate: certificateOf(socket) });
              onStep({ type: 'ready', host });
            }
            callback(...reached);
          });
        },
      });
    },
  });
}
