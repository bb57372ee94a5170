import { getCACertificates } from 'node:tls';
import { type Dispatcher, EnvHttpProxyAgent } from 'undici';
import { PgpassdError } from '../support/errors.ts';
import { readCa } from './read-ca.ts';
import { trustIn, UnusableCa } from './trust.ts';
import type { Way } from './way.ts';

export interface DirectWaySettings {
  /** A PEM file with CAs to trust besides the system's and NODE_EXTRA_CA_CERTS'. */
  readonly caFile: string | undefined;
  readonly httpProxy: string | undefined;
  readonly httpsProxy: string | undefined;
  readonly noProxy: string | undefined;
}

/**
 * The way to the authority itself, out of the cluster and perhaps through an HTTP proxy.
 *
 * @throws PgpassdError `config.invalid` when the CA file or a proxy's URL cannot be used
 */
export async function createDirectWay(settings: DirectWaySettings): Promise<Way> {
  const trust = settings.caFile === undefined ? {} : { ca: await trustedWith(settings.caFile) };
  // What cannot be used is told at the start.
  await withProxies(settings, trust).destroy();
  return {
    kind: 'direct',
    urlFor: (endpoint) => endpoint,
    dispatcher: async () => withProxies(settings, trust),
  };
}

function withProxies(
  { httpProxy, httpsProxy, noProxy }: DirectWaySettings,
  trust: { readonly ca?: string[] },
): Dispatcher {
  try {
    return new EnvHttpProxyAgent({
      httpProxy: httpProxy ?? '',
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
      'HTTPS_PROXY or HTTP_PROXY is not the URL of a proxy',
      'Write it with its scheme, such as http://proxy.example.com:3128.',
    );
  }
}

/** Node replaces its roots by a given `ca`, so the roots are given as well. */
async function trustedWith(caFile: string): Promise<string[]> {
  try {
    const { certificates } = trustIn(await readCa(caFile));
    return [...getCACertificates('default'), ...certificates];
  } catch (error) {
    if (!(error instanceof UnusableCa)) throw error;
    throw new PgpassdError(
      'config.invalid',
      `--ca-file ${caFile} ${error.message}`,
      'Name a readable file of PEM certificates.',
      { cause: error },
    );
  }
}
