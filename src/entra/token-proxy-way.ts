import { Agent } from 'undici';
import { type ErrorCode, PgpassdError } from '../support/errors.ts';
import { type Connectors, createConnectors } from './connector.ts';
import { type TokenProxySettings, throughTokenProxy } from './token-proxy.ts';
import { caReader, certificatesIn, UnusableCa } from './trust.ts';
import type { Way } from './way.ts';

/**
 * The way through the token proxy of AKS identity bindings, gone as the Azure SDKs do
 * (`@azure/identity` 4.14, `workloadIdentityCredential`; `azidentity`, `customtokenproxy`).
 *
 * HTTPS_PROXY is left aside. Go's SDK heeds it, as all that net/http sends, and is led back by the
 * cluster's networks that AKS lists in NO_PROXY; undici does not read networks, and a proxy out of
 * the cluster leads nowhere near an address within.
 *
 * A CA file that is missing or empty is no problem of the configuration yet: what fills the volume
 * may be slower than the pod, and by the first exchange the file may be there. One that holds
 * something else than certificates will not mend itself, so that is told at once.
 *
 * @throws PgpassdError `config.invalid` when the CA cannot be used
 */
export async function createTokenProxyWay(
  { url, sniName, ca }: TokenProxySettings,
  connectors: Connectors = createConnectors(),
): Promise<Way> {
  const servername = sniName === undefined ? {} : { servername: sniName };
  const roots = rootsReader(ca);

  const tell = (error: unknown, code: ErrorCode) =>
    error instanceof UnusableCa ? describe(error, ca, code) : error;
  await roots().catch((error: unknown) => {
    if (!(error instanceof UnusableCa && error.awaited)) throw tell(error, 'config.invalid');
  });
  return {
    kind: 'token-proxy',
    urlFor: (endpoint) => throughTokenProxy(endpoint, url),
    async dispatcher(attempt) {
      const trusted = await roots().catch((error: unknown) => {
        throw tell(error, 'entra.untrusted');
      });
      return new Agent({ connect: connectors(attempt, { ...servername, ...trusted }) });
    },
  };
}

type Ca = TokenProxySettings['ca'];
/** A file is read anew each time. */
function rootsReader(ca: Ca): () => Promise<{ readonly ca?: string[] }> {
  if (ca === undefined) return async () => ({});
  const read = 'pem' in ca ? async () => certificatesIn(ca.pem) : caReader(ca.path);
  return async () => ({ ca: [...(await read())] });
}

function describe(error: UnusableCa, ca: Ca, code: ErrorCode): PgpassdError {
  const setting =
    ca !== undefined && 'path' in ca
      ? `AZURE_KUBERNETES_CA_FILE ${ca.path}`
      : 'AZURE_KUBERNETES_CA_DATA';
  return new PgpassdError(
    code,
    `${setting} ${error.message}`,
    "It must hold the token proxy's CA as PEM certificates; the workload identity webhook mounts and sets it.",
    { cause: error.cause },
  );
}
