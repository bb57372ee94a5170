import type { Clock, Instant } from '../../src/support/clock.ts';

interface Sleeper {
  readonly wakeAtMs: number;
  readonly wake: () => void;
}

/** A clock that moves only when told. The true time is what a server elsewhere would see. */
export class FakeClock implements Clock {
  #monotonicMs = 0;
  /** The wall clock's lead over the monotonic one; steps and suspends change it. */
  #leadMs = Date.UTC(2026, 10, 1);
  #suspendedMs = 0;
  readonly #sleepers = new Set<Sleeper>();
  #onSleep = () => {};

  now(): Instant {
    return { wallMs: this.#monotonicMs + this.#leadMs, monotonicMs: this.#monotonicMs };
  }

  /** Milliseconds that have really passed, suspends included, whatever the wall clock says. */
  get trueMs(): number {
    return this.#monotonicMs + this.#suspendedMs;
  }

  sleep(delayMs: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        this.#sleepers.delete(sleeper);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      const sleeper = { wakeAtMs: this.#monotonicMs + delayMs, wake };
      this.#sleepers.add(sleeper);
      signal.addEventListener('abort', wake);
      this.#onSleep();
    });
  }

  /** Lets time pass and wakes every sleeper at its moment, in order. */
  async advance(durationMs: number): Promise<void> {
    const untilMs = this.#monotonicMs + durationMs;
    await settle();
    for (;;) {
      const next = this.#earliest();
      if (next === undefined || next.wakeAtMs > untilMs) break;
      this.#monotonicMs = Math.max(this.#monotonicMs, next.wakeAtMs);
      next.wake();
      await settle();
    }
    this.#monotonicMs = untilMs;
    await settle();
  }

  /** Sets the wall clock forward, or back by a negative step; nobody wakes. */
  stepWallClock(stepMs: number): void {
    this.#leadMs += stepMs;
  }

  /** The machine sleeps: the world and the wall clock go on, the monotonic clock and timers stand still. */
  suspend(durationMs: number): void {
    this.#leadMs += durationMs;
    this.#suspendedMs += durationMs;
  }

  /** The process is stopped (SIGSTOP): both clocks go on, but nobody wakes before it continues. */
  async stall(durationMs: number): Promise<void> {
    this.#monotonicMs += durationMs;
    await this.advance(0);
  }

  /** Resolves as soon as somebody sleeps. */
  async sleeping(): Promise<void> {
    while (this.#sleepers.size === 0) {
      await new Promise<void>((resolve) => {
        this.#onSleep = resolve;
      });
    }
  }

  #earliest(): Sleeper | undefined {
    let earliest: Sleeper | undefined;
    for (const each of this.#sleepers) {
      if (earliest === undefined || each.wakeAtMs < earliest.wakeAtMs) earliest = each;
    }
    return earliest;
  }
}

/** Everything that needs no outside event has happened once the event loop has turned. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
