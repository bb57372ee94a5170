import type { TokenProxySettings } from '../entra/request.ts';
import type { Environment } from './given.ts';
import { misplacedIn } from './misplaced.ts';
import type { Problems } from './problems.ts';

/**
 * The settings of AKS identity bindings, which the workload identity webhook sets in a pod:
 * https://learn.microsoft.com/azure/aks/identity-bindings-concepts
 *
 * `undefined` when there is no token proxy, or none that can be used; the latter adds to `problems`.
 */
export function readTokenProxy(
  env: Environment,
  problems: Problems,
): TokenProxySettings | undefined {
  const proxy = env['AZURE_KUBERNETES_TOKEN_PROXY'];
  if (!proxy) {
    // AZURE_KUBERNETES_CA_FILE is not among them: the webhook sets it whether or not there is a proxy.
    const astray = ['AZURE_KUBERNETES_SNI_NAME', 'AZURE_KUBERNETES_CA_DATA'].filter(
      (name) => env[name],
    );
    if (astray.length > 0) {
      problems.add(
        `${astray.join(' and ')} without AZURE_KUBERNETES_TOKEN_PROXY: set that to the token proxy's URL too, or unset the other`,
      );
    }
    return undefined;
  }

  const url = URL.parse(proxy);
  const found = [
    objectionToUrl(url, proxy) ?? misplacedIn('AZURE_KUBERNETES_TOKEN_PROXY', env),
    objectionToName(env['AZURE_KUBERNETES_SNI_NAME']) ??
      misplacedIn('AZURE_KUBERNETES_SNI_NAME', env),
    env['AZURE_KUBERNETES_CA_DATA'] ? undefined : misplacedIn('AZURE_KUBERNETES_CA_FILE', env),
  ];
  const objections = found.filter((objection) => objection !== undefined);
  for (const objection of objections) problems.add(objection);
  if (url === null || objections.length > 0) return undefined;
  return { url, sniName: env['AZURE_KUBERNETES_SNI_NAME'] || undefined, ca: caOf(env) };
}

/**
 * The SDKs refuse a file beside data. But the webhook sets the file even when it was told the data,
 * so both together are its doing, and the data is what somebody chose.
 */
function caOf(env: Environment): TokenProxySettings['ca'] {
  const { AZURE_KUBERNETES_CA_DATA: pem, AZURE_KUBERNETES_CA_FILE: path } = env;
  if (pem) return { pem };
  return path ? { path } : undefined;
}

/** Without the URL itself, since its user part may be a password. */
function objectionToUrl(url: URL | null, text: string): string | undefined {
  const problem = (what: string) => `AZURE_KUBERNETES_TOKEN_PROXY: ${what}`;
  if (url === null) return problem('write a URL such as https://token-proxy.example.svc/');
  if (url.protocol !== 'https:') return problem('use https: nothing else is safe for a token');
  if (url.username || url.password) return problem('leave user and password out of it');
  if (text.includes('#')) return problem('leave the fragment out of it');
  if (text.includes('?')) return problem('leave the query out of it');
  return undefined;
}

/** TLS knows names of hosts here and no addresses: RFC 6066 section 3. */
function objectionToName(name: string | undefined): string | undefined {
  if (!name || (/^[\w-]+(?:\.[\w-]+)*$/.test(name) && !/(?:^|\.)\d+$/.test(name))) return undefined;
  return 'AZURE_KUBERNETES_SNI_NAME: write the name of a host, without a port';
}
