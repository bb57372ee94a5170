/** Everything that goes on in the demo, by who tells of it. Times are wall clock milliseconds. */
export type Happening =
  | { readonly kind: 'demo'; readonly atMs: number; readonly text: string }
  | { readonly kind: 'kubelet'; readonly atMs: number; readonly expiresAtMs: number }
  | { readonly kind: 'pgpassd'; readonly atMs: number; readonly line: DaemonLine }
  | { readonly kind: 'client'; readonly atMs: number; readonly connect: Connect };

export type Tell = (happening: Happening) => void;

/** What the demo reads from a line of pgpassd's log. */
export interface DaemonLine {
  readonly level: string;
  readonly event: string;
  readonly message: string;
  readonly tokenExpiresAtMs?: number;
  readonly nextRefreshInMs?: number;
  readonly remedy?: string;
}

export interface Connect {
  readonly ok: boolean;
  readonly tookMs: number;
  /** What the client printed, when it was not let in. */
  readonly error?: string;
}
