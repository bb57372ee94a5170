/**
 * Long work in pieces of a few milliseconds. It yields nothing; each `yield` lets the caller run other
 * work first.
 */
export type Steps<T> = Generator<undefined, T, void>;

/** Runs all pieces without a pause. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** Awaits `pause` between pieces, so that timers, probes and deadlines are not delayed. */
export async function inSteps<T>(steps: Steps<T>, pause: () => Promise<unknown>): Promise<T> {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    await pause();
  }
}
