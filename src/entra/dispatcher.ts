import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { getCACertificates } from 'node:tls';
import { type Dispatcher, EnvHttpProxyAgent } from 'undici';
import { PgpassdError, systemErrorCode } from '../support/errors.ts';

export interface DispatcherSettings {
  /** A PEM file with CAs to trust besides the system's and NODE_EXTRA_CA_CERTS'. */
  readonly caFile: string | undefined;
  readonly httpProxy: string | undefined;
  readonly httpsProxy: string | undefined;
  readonly noProxy: string | undefined;
}

/**
 * How requests leave the pod: proxies and trust.
 *
 * @throws PgpassdError `config.invalid` when the CA file cannot be used
 */
export async function createDispatcher(settings: DispatcherSettings): Promise<Dispatcher> {
  const trust = settings.caFile === undefined ? {} : { ca: await trustedWith(settings.caFile) };
  return new EnvHttpProxyAgent({
    httpProxy: settings.httpProxy ?? '',
    httpsProxy: settings.httpsProxy ?? '',
    noProxy: settings.noProxy ?? '',
    connect: trust,
    requestTls: trust,
    proxyTls: trust,
  });
}

/** Node replaces its roots by a given `ca`, so the roots are given as well. */
async function trustedWith(caFile: string): Promise<string[]> {
  const unusable = (why: string, cause?: unknown) =>
    new PgpassdError(
      'config.invalid',
      `--ca-file ${caFile} ${why}`,
      'Name a readable file of PEM certificates.',
      { cause },
    );
  const pem = await readFile(caFile, 'utf8').catch((error: unknown) => {
    throw unusable(`cannot be read (${systemErrorCode(error) ?? 'unknown error'})`, error);
  });
  const certificates = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g);
  if (certificates === null) throw unusable('holds no PEM certificate');
  try {
    for (const each of certificates) new X509Certificate(each);
  } catch (error) {
    throw unusable('holds a damaged certificate', error);
  }
  return [...getCACertificates('default'), ...certificates];
}
