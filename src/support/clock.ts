/** The same moment on both clocks: the wall clock jumps with the system's, the monotonic one stops in a suspend. */
export interface Instant {
  /** Milliseconds since the Unix epoch. */
  readonly wallMs: number;
  /** Milliseconds since an arbitrary start. */
  readonly monotonicMs: number;
}

export interface Clock {
  now(): Instant;
  /**
   * Resolves after `delayMs`, or as soon as `signal` aborts: a sleeper looks for itself at why it
   * woke. Never rejects. Any finite delay works, also one above the 2^31-1 ms of a single timer.
   */
  sleep(delayMs: number, signal: AbortSignal): Promise<void>;
}

/** A time to come: so long after a moment that both clocks remember. */
export interface Wait {
  readonly since: Instant;
  readonly delayMs: number;
  /** When it is over by the clock of a token's issuer, in milliseconds since the epoch, where that is known. */
  readonly endsAtMs?: number | undefined;
}
