import type { Dispatcher } from 'undici';

/** Which settings an operator has to look at when the way is blocked. */
export type WayKind = 'direct' | 'token-proxy';

/** How requests get to the token endpoint: by which address, through which proxy, trusting whom. */
export interface Way {
  readonly kind: WayKind;
  /** Where a request that is meant for `endpoint` goes. */
  urlFor(endpoint: string): string;
  /**
   * What sends one request, to be destroyed after it. Throws PgpassdError `entra.*` when the way cannot
   * be gone now.
   */
  dispatcher(): Promise<Dispatcher>;
}
