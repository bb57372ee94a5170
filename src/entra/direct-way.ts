import { getCACertificates } from 'node:tls';
import { type Dispatcher, EnvHttpProxyAgent } from 'undici';
import { type ErrorCode, PgpassdError } from '../support/errors.ts';
import { caReader, UnusableCa } from './trust.ts';
import type { Way } from './way.ts';

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
export async function createDirectWay(settings: DirectWaySettings): Promise<Way> {
  const { caFile } = settings;
  const readCas = caFile === undefined ? undefined : caReader(caFile);

  async function dispatcher(code: ErrorCode): Promise<Dispatcher> {
    const cas = await readCas?.().catch((error: unknown) => {
      throw error instanceof UnusableCa ? unusable(error, caFile, code) : error;
    });
    // Node replaces its roots by a given `ca`, so the roots are given as well.
    const trust = cas === undefined ? {} : { ca: [...getCACertificates('default'), ...cas] };
    return withProxies(settings, trust);
  }

  // What cannot be used is told at the start.
  await (await dispatcher('config.invalid')).destroy();
  return {
    kind: 'direct',
    urlFor: (endpoint) => endpoint,
    dispatcher: () => dispatcher('entra.untrusted'),
  };
}

function withProxies(
  { httpsProxy, noProxy }: DirectWaySettings,
  trust: { readonly ca?: string[] },
): Dispatcher {
  try {
    return new EnvHttpProxyAgent({
      // What goes in the clear goes to loopback, and HTTP_PROXY is not for what does not.
      httpProxy: '',
      httpsProxy: httpsProxy ?? '',
      noProxy: noProxy ?? '',
      connect: trust,
      requestTls: trust,
      proxyTls: trust,
    });
  } catch {
    // Without the cause: it holds the URL, and the URL perhaps a password.
    throw new PgpassdError(
      'config.invalid',
      'HTTPS_PROXY is not the URL of a proxy',
      'Write it with its scheme, such as http://proxy.example.com:3128.',
    );
  }
}

function unusable(error: UnusableCa, caFile: string | undefined, code: ErrorCode): PgpassdError {
  return new PgpassdError(
    code,
    `--ca-file ${caFile} ${error.message}`,
    'Name a readable file of PEM certificates.',
    { cause: error },
  );
}
