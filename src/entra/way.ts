import type { Dispatcher } from 'undici';
import type { Clock } from '../support/clock.ts';
import type { Step } from './steps.ts';

/** Which settings an operator has to look at when the way is blocked. */
export type WayKind = 'direct' | 'token-proxy';

/** One try to get an answer. */
export interface Attempt {
  readonly clock: Clock;
  /** How long it may take. */
  readonly timeoutMs: number;
  /** Ends the attempt, and every connection of it. */
  readonly signal: AbortSignal;
  readonly onStep: (step: Step) => void;
}

/** How requests get to the token endpoint: by which address, through which proxy, trusting whom. */
export interface Way {
  readonly kind: WayKind;
  /** Where a request that is meant for `endpoint` goes. */
  urlFor(endpoint: string): string;
  /**
   * What sends one request, to be destroyed after it. Throws PgpassdError `entra.*` when the way cannot
   * be gone now.
   */
  dispatcher(attempt: Attempt): Promise<Dispatcher>;
}
