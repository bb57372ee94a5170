/** Nobody is asked sooner than this, nor kept away for longer, whatever a server says. */
const SHORTEST_MS = 1_000;
const LONGEST_MS = 3_600_000;

/** RFC 9110 section 10.2.3: seconds or an HTTP date. `undefined` when it is neither. */
export function parseRetryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  const delayMs = /^\d+$/.test(text) ? Number(text) * 1000 : parseHttpDate(text) - nowMs;
  return Number.isNaN(delayMs) ? undefined : Math.min(Math.max(delayMs, SHORTEST_MS), LONGEST_MS);
}

/**
 * Milliseconds since the epoch, or NaN. An HTTP date begins with its day's name, since `Date.parse`
 * takes a bare number for a month.
 */
export function parseHttpDate(text: string): number {
  return /^[a-z]{3}/i.test(text) ? Date.parse(text) : Number.NaN;
}
