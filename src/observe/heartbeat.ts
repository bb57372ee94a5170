import type { Clock } from '../support/clock.ts';

const BEAT_MS = 1_000;

/** A probe comes every 10 s by default: each stall is there for one of them to see. */
const MEMORY_MS = 10_000;

/** Notices when the event loop stands still: for that long a beat of its heart is late. */
export class Heartbeat {
  readonly #clock: Clock;
  #beatAtMs: number;
  #last: { readonly stallMs: number; readonly endedAtMs: number } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#beatAtMs = clock.now().monotonicMs;
  }

  /** The longest stall that lasts, or ended a moment ago; 0 when there was none. */
  get stallMs(): number {
    const nowMs = this.#clock.now().monotonicMs;
    return Math.max(this.#latenessMs(nowMs), this.#rememberedMs(nowMs));
  }

  /** Runs until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#beatAtMs = this.#clock.now().monotonicMs;
      await this.#clock.sleep(BEAT_MS, signal);
      const endedAtMs = this.#clock.now().monotonicMs;
      const stallMs = this.#latenessMs(endedAtMs);
      if (stallMs > this.#rememberedMs(endedAtMs)) this.#last = { stallMs, endedAtMs };
    }
  }

  #latenessMs(nowMs: number): number {
    return Math.max(0, nowMs - this.#beatAtMs - BEAT_MS);
  }

  #rememberedMs(nowMs: number): number {
    const { stallMs, endedAtMs } = this.#last ?? { stallMs: 0, endedAtMs: 0 };
    return nowMs - endedAtMs <= MEMORY_MS ? stallMs : 0;
  }
}
