const RUNS = 9;

/** The time that this thread has worked: other work on the machine does not count. */
export function busyMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/**
 * What the first run of `measure` below the limit says, or else the least of several: a run may include
 * a garbage collection, and the first ones are the compiler's.
 */
export async function leastOf(
  measure: () => number | Promise<number>,
  limitMs: number,
): Promise<number> {
  let leastMs = Number.POSITIVE_INFINITY;
  for (let run = 0; run < RUNS && leastMs >= limitMs; run += 1) {
    leastMs = Math.min(leastMs, await measure());
  }
  return leastMs;
}

/** How long this thread works on it, in the sense of `leastOf`. */
export function leastMs(work: () => unknown, limitMs: number): Promise<number> {
  return leastOf(() => {
    const before = busyMs();
    work();
    return busyMs() - before;
  }, limitMs);
}
