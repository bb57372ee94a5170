/**
 * The proxy inside the cluster that AKS identity bindings have instead of Entra:
 * https://learn.microsoft.com/azure/aks/identity-bindings-concepts
 */
export interface TokenProxySettings {
  readonly url: URL;
  /** The name to ask for and to verify, when it is not the host of `url`. */
  readonly sniName: string | undefined;
  /** Whom to trust in place of the system's roots; those hold when it is `undefined`. */
  readonly ca: { readonly path: string } | { readonly pem: string } | undefined;
}

/** The proxy expects Entra's own path below its own: only the origin and the prefix change. */
export function throughTokenProxy(endpoint: string, proxy: URL): string {
  const { pathname, search } = new URL(endpoint);
  return `${proxy.origin}${proxy.pathname.replace(/\/+$/, '')}${pathname}${search}`;
}
