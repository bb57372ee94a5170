/** More repairs than this within the window are somebody else's work, not an accident. */
const PEACEFUL_REPAIRS = 5;
const WINDOW_MS = 60_000;

/** How long to hold back after a repair while the fight lasts. */
const TRUCE_MS = 10_000;

/** Whether somebody keeps changing what is repaired. All times are of one monotonic clock. */
export class Fight {
  #repairsAtMs: number[] = [];
  #ongoing = false;

  /** How long the next repair has to wait: 0 in peace. */
  truceMs(nowMs: number): number {
    this.#forget(nowMs);
    const lastMs = this.#repairsAtMs.at(-1);
    return this.#ongoing && lastMs !== undefined ? Math.max(0, lastMs + TRUCE_MS - nowMs) : 0;
  }

  /** Returns the repairs of the last minute when this one begins a fight. */
  noteRepair(nowMs: number): number | undefined {
    this.#forget(nowMs);
    this.#repairsAtMs.push(nowMs);
    const repairs = this.#repairsAtMs.length;
    if (this.#ongoing || repairs <= PEACEFUL_REPAIRS) return undefined;
    this.#ongoing = true;
    return repairs;
  }

  #forget(nowMs: number): void {
    this.#repairsAtMs = this.#repairsAtMs.filter((atMs) => nowMs - atMs < WINDOW_MS);
    if (this.#repairsAtMs.length < PEACEFUL_REPAIRS) this.#ongoing = false;
  }
}
