import type { FuzzTarget } from './target.ts';

/** Which input took longest, in milliseconds. */
export interface Slowest {
  readonly tookMs: number;
  readonly input: unknown;
}

/** `target.run`, and the slowest of its inputs so far. */
export function timed(target: FuzzTarget): {
  run: (input: unknown) => Promise<void>;
  slowest: () => Slowest;
} {
  let slowest: Slowest = { tookMs: 0, input: undefined };
  const run = async (input: unknown) => {
    const firstMs = await timeOf(target, input);
    if (firstMs <= slowest.tookMs) return;
    // The first time may have been the garbage collector's, or the compiler's.
    const tookMs = Math.min(firstMs, await timeOf(target, input));
    if (tookMs > slowest.tookMs) slowest = { tookMs, input };
  };
  return { run, slowest: () => slowest };
}

async function timeOf(target: FuzzTarget, input: unknown): Promise<number> {
  const since = performance.now();
  await target.run(input);
  return performance.now() - since;
}
