/**
 * Work that is done piece by piece: what it yields between two pieces is nothing, but the occasion
 * for others to have their turn. A piece takes a few milliseconds at most.
 */
export type Steps<T> = Generator<undefined, T, void>;

/** Does all of it at once. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** Waits for `pause` between two pieces, so that timers, probes and deadlines are not held up. */
export async function inSteps<T>(steps: Steps<T>, pause: () => Promise<unknown>): Promise<T> {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    await pause();
  }
}
