import { getCACertificates } from 'node:tls';
import { Agent, type buildConnector, type Dispatcher, EnvHttpProxyAgent, Pool } from 'undici';
import { type ErrorCode, PgpassdError } from '../support/errors.ts';
import {
  type Connectors,
  certificateOf,
  createConnectors,
  type Trust,
  tlsOptions,
} from './connector.ts';
import { httpProxyUrl } from './http-proxy.ts';
import { caReader, UnusableCa } from './trust.ts';
import type { Attempt, Way } from './way.ts';

export interface DirectWaySettings {
  /** A PEM file with CAs to trust besides Node's roots and NODE_EXTRA_CA_CERTS'; read anew for each exchange. */
  readonly caFile: string | undefined;
  readonly httpsProxy: string | undefined;
  readonly noProxy: string | undefined;
}

/**
 * The way to the authority itself, out of the cluster and perhaps through an HTTP proxy.
 *
 * @throws PgpassdError `config.invalid` when the CA file or a proxy's URL cannot be used
 */
export async function createDirectWay(
  settings: DirectWaySettings,
  connectors: Connectors = createConnectors(),
): Promise<Way> {
  const { caFile, noProxy = '' } = settings;
  const readCas = caFile === undefined ? undefined : caReader(caFile);
  const httpsProxy = settings.httpsProxy ? httpProxyUrl(settings.httpsProxy) : undefined;

  async function trust(code: ErrorCode): Promise<Trust> {
    const cas = await readCas?.().catch((error: unknown) => {
      throw error instanceof UnusableCa ? unusable(error, caFile, code) : error;
    });
    // Node replaces its roots by a given `ca`, so the roots are given as well.
    return cas === undefined ? {} : { ca: [...getCACertificates('default'), ...cas] };
  }

  // What cannot be used is told at the start.
  await trust('config.invalid');
  return {
    kind: 'direct',
    urlFor: (endpoint) => endpoint,
    async dispatcher(attempt) {
      const trusted = await trust('entra.untrusted');
      const connect = connectors(attempt, trusted);
      return httpsProxy === undefined
        ? new Agent({ connect })
        : withProxy({ httpsProxy, noProxy, connect, trusted, attempt });
    },
  };
}

interface Proxied {
  readonly httpsProxy: string;
  readonly noProxy: string;
  readonly connect: buildConnector.connector;
  readonly trusted: Trust;
  readonly attempt: Attempt;
}

function withProxy({ httpsProxy, noProxy, connect, trusted, attempt }: Proxied): Dispatcher {
  const { onStep } = attempt;
  let tunnelled = () => {};
  return new EnvHttpProxyAgent({
    // What goes in the clear goes to loopback, and HTTP_PROXY is not for what does not.
    httpProxy: '',
    httpsProxy,
    noProxy,
    connect,
    // Inside the tunnel.
    requestTls: tlsOptions(trusted),
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

function unusable(error: UnusableCa, caFile: string | undefined, code: ErrorCode): PgpassdError {
  return new PgpassdError(
    code,
    `--ca-file ${caFile} ${error.message}`,
    'Name a readable file of PEM certificates.',
    { cause: error },
  );
}
