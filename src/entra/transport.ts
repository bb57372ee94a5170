import { X509Certificate } from 'node:crypto';
import { getCACertificates } from 'node:tls';
import { Agent, type buildConnector, type Dispatcher, EnvHttpProxyAgent, Pool } from 'undici';
import { type ErrorCode, errorOf, type Failure, failure } from '../support/errors.ts';
import { readRegularFile, UnusableFile } from '../support/files.ts';
import {
  type Attempt,
  type Connectors,
  certificateOf,
  createConnectors,
  type Trust,
  tlsOptions,
} from './connect.ts';
import { type TokenProxySettings, tokenProxyUrl } from './request.ts';

/** Which settings an operator has to look at when nothing can be sent. */
export type TransportKind = 'direct' | 'token-proxy';

/** How requests get to the token endpoint: at which address, through which proxy, trusting which CAs. */
export interface Transport {
  readonly kind: TransportKind;
  /** The URL to send a request to that is meant for `endpoint`. */
  urlFor(endpoint: string): string;
  /**
   * Sends one request, and is to be destroyed after it. Throws PgpassdError `entra.*` if no connection
   * can be set up now.
   */
  dispatcher(attempt: Attempt): Promise<Dispatcher>;
}

export interface TransportSettings {
  readonly caFile: string | undefined;
  /** Instead of the authority itself. */
  readonly tokenProxy: TokenProxySettings | undefined;
}

/** @throws PgpassdError `config.invalid` when a CA, or the URL of HTTPS_PROXY, cannot be used */
export async function openTransport(
  { caFile, tokenProxy }: TransportSettings,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Transport> {
  if (tokenProxy !== undefined) return await createTokenProxyTransport(tokenProxy);
  return await createDirectTransport({
    caFile,
    httpsProxy: env['https_proxy'] || env['HTTPS_PROXY'],
    noProxy: env['no_proxy'] || env['NO_PROXY'],
  });
}

export interface DirectTransportSettings {
  /** A PEM file of CAs to trust in addition to those of Node.js and NODE_EXTRA_CA_CERTS; re-read before each exchange. */
  readonly caFile: string | undefined;
  readonly httpsProxy: string | undefined;
  readonly noProxy: string | undefined;
}

/**
 * To the authority itself, out of the cluster and perhaps through an HTTP proxy.
 *
 * @throws PgpassdError `config.invalid` when the CA file, or a proxy's URL, cannot be used
 */
export async function createDirectTransport(
  { caFile, httpsProxy, noProxy = '' }: DirectTransportSettings,
  connectors: Connectors = createConnectors(),
): Promise<Transport> {
  const readCas = caFile === undefined ? undefined : caReader(caFile);
  const proxyUrl = httpsProxy ? httpProxyUrl(httpsProxy) : undefined;

  async function readTrust(code: ErrorCode): Promise<Trust> {
    const cas = await readCas?.().catch((error: unknown) => {
      throw explainCaError(error, code, (problem) =>
        caFileUnusable({ path: caFile ?? '', problem }),
      );
    });
    // Node.js replaces its own roots by a given `ca`, so they are given as well.
    return cas === undefined ? {} : { ca: [...getCACertificates('default'), ...cas] };
  }

  // A CA file that cannot be used is an error at the start already.
  await readTrust('config.invalid');
  return {
    kind: 'direct',
    urlFor: (endpoint) => endpoint,
    async dispatcher(attempt) {
      const { onStep } = attempt;
      const trust = await readTrust('entra.untrusted');
      const connect = connectors(attempt, trust);
      return proxyUrl === undefined
        ? new Agent({ connect })
        : httpProxyAgent({ httpsProxy: proxyUrl, noProxy, connect, trust, onStep });
    },
  };
}

/**
 * To the token proxy of AKS identity bindings, as the Azure SDKs do it (`@azure/identity` 4.14,
 * `workloadIdentityCredential`; `azidentity`, `customtokenproxy`).
 *
 * HTTPS_PROXY is ignored. Go's SDK applies it, as net/http does to every request, and is exempted by the
 * cluster's networks that AKS lists in NO_PROXY; undici does not read networks, and a proxy outside the
 * cluster cannot reach an address inside.
 *
 * A CA file that is missing or empty is no configuration problem yet: what fills the volume may be
 * slower than the pod, and the file may be there by the first exchange. A file that holds anything else
 * than certificates will not repair itself, so it is an error at once.
 *
 * @throws PgpassdError `config.invalid` when the CA cannot be used
 */
export async function createTokenProxyTransport(
  { url, sniName, ca }: TokenProxySettings,
  connectors: Connectors = createConnectors(),
): Promise<Transport> {
  const servername = sniName === undefined ? {} : { servername: sniName };
  const readCas = tokenProxyCaReader(ca);
  const setting =
    ca !== undefined && 'path' in ca
      ? `AZURE_KUBERNETES_CA_FILE ${ca.path}`
      : 'AZURE_KUBERNETES_CA_DATA';
  const explainCa = (error: unknown, code: ErrorCode) =>
    explainCaError(error, code, (problem) => tokenProxyCaUnusable({ setting, problem }));

  await readCas().catch((error: unknown) => {
    const isAwaited = error instanceof UnusableCa && error.awaited;
    if (!isAwaited) throw explainCa(error, 'config.invalid');
  });
  return {
    kind: 'token-proxy',
    urlFor: (endpoint) => tokenProxyUrl(endpoint, url),
    async dispatcher(attempt) {
      const cas = await readCas().catch((error: unknown) => {
        throw explainCa(error, 'entra.untrusted');
      });
      const trust = cas === undefined ? servername : { ...servername, ca: [...cas] };
      return new Agent({ connect: connectors(attempt, trust) });
    },
  };
}

type Ca = TokenProxySettings['ca'];

/** `undefined` for the system's roots. */
function tokenProxyCaReader(ca: Ca): () => Promise<readonly string[] | undefined> {
  if (ca === undefined) return async () => undefined;
  return 'pem' in ca ? async () => certificatesIn(ca.pem) : caReader(ca.path);
}

/** What `error` of reading a CA means for the transport. */
function explainCaError(
  error: unknown,
  code: ErrorCode,
  kind: (problem: string) => Failure,
): unknown {
  if (!(error instanceof UnusableCa)) return error;
  return errorOf({ ...kind(error.message), code }, { cause: error });
}

/**
 * Runs `send` with a dispatcher of `transport`, and leaves no connection behind: a connection that is
 * kept would only outlive its address.
 *
 * @throws the reason of the attempt's signal once it aborts, else whatever `send` throws
 */
export async function withDispatcher<T>(
  transport: Transport,
  attempt: Attempt,
  send: (dispatcher: Dispatcher) => Promise<T>,
): Promise<T> {
  const { signal } = attempt;
  const dispatcher = await transport.dispatcher(attempt);
  // undici observes a signal only once it is connected, not during a TLS handshake or a CONNECT.
  const stop = () => void dispatcher.destroy(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    return await send(dispatcher);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
    await dispatcher.destroy();
  }
}

/** Noticed by an exchange, and not at the start, each of these is `entra.untrusted`. */
export const caFileUnusable = failure<'path' | 'problem'>(
  'ca-file',
  'config.invalid',
  ({ path, problem }) => ({
    found: `--ca-file ${path} ${problem}`,
    remedy: 'Set it to a readable file of PEM certificates.',
  }),
);

export const tokenProxyCaUnusable = failure<'setting' | 'problem'>(
  'token-proxy-ca',
  'config.invalid',
  ({ setting, problem }) => ({
    found: `the token proxy's CA in ${setting} ${problem}`,
    remedy: 'It must be PEM certificates; the workload identity webhook mounts and sets it.',
  }),
);

/** Several times the size of all public CAs together; a larger file is the wrong file. */
const LARGEST_CA_FILE_BYTES = 4 * 1024 * 1024;

/** What is wrong with a CA, as the end of a sentence that begins with its setting's name. */
export class UnusableCa extends Error {
  override readonly name = 'UnusableCa';
  /** Whether it may only not be there yet, as in a volume that is still to be filled. */
  readonly awaited: boolean;

  constructor(message: string, options: ErrorOptions & { readonly awaited?: boolean } = {}) {
    super(message, options);
    this.awaited = options.awaited ?? false;
  }
}

/**
 * The CAs in `pem`, each as PEM.
 *
 * @throws UnusableCa unless there are some, and all of them can be read; awaited when it is empty
 */
function certificatesIn(pem: string): readonly string[] {
  if (pem.trim() === '') throw new UnusableCa('is empty', { awaited: true });
  const certificates = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g);
  if (certificates === null) throw new UnusableCa('holds no PEM certificate');
  try {
    for (const each of certificates) new X509Certificate(each);
  } catch (error) {
    throw new UnusableCa('holds a damaged certificate', { cause: error });
  }
  return certificates;
}

/** @throws UnusableCa unless it is a file of certificates; awaited when it is missing or empty */
export async function readCa(path: string): Promise<readonly string[]> {
  const pem = await readRegularFile(path, LARGEST_CA_FILE_BYTES).catch((error: unknown) => {
    if (!(error instanceof UnusableFile)) throw error;
    throw new UnusableCa(error.message, { cause: error, awaited: error.code === 'ENOENT' });
  });
  return certificatesIn(pem.toString('utf8'));
}

/**
 * Reads a CA file each time it is called, since it may be rotated. A file that is missing or empty is
 * being written: until it is there, the CAs of the last reading stay in force.
 *
 * @throws UnusableCa (the function that is returned)
 */
function caReader(path: string): () => Promise<readonly string[]> {
  let before: readonly string[] | undefined;
  return async () => {
    try {
      before = await readCa(path);
      return before;
    } catch (error) {
      if (error instanceof UnusableCa && error.awaited && before !== undefined) return before;
      throw error;
    }
  };
}

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
    throw unusableProxyUrl('names a SOCKS proxy, which pgpassd does not support');
  }
  const isHttp = scheme === undefined ? WITHOUT_SCHEME.test(text) : /^https?$/i.test(scheme);
  const url = isHttp ? URL.parse(scheme === undefined ? `http://${text}` : text) : null;
  if (url === null) throw unusableProxyUrl('is not the URL of an HTTP proxy');
  if (!decodes(url.username) || !decodes(url.password)) {
    throw unusableProxyUrl('has an invalid percent-encoding in its user or password');
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

function unusableProxyUrl(problem: string): Error {
  return errorOf(httpProxyUrlUnusable({ problem }));
}

interface HttpProxySettings {
  /** As `httpProxyUrl` gives it. */
  readonly httpsProxy: string;
  readonly noProxy: string;
  readonly connect: buildConnector.connector;
  readonly trust: Trust;
  readonly onStep: Attempt['onStep'];
}

/** Sends through the HTTP proxy, except to the hosts of NO_PROXY, which undici matches: docs/settings.md says how. */
function httpProxyAgent({
  httpsProxy,
  noProxy,
  connect,
  trust,
  onStep,
}: HttpProxySettings): Dispatcher {
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
