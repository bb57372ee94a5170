/** A run of characters of a text. */
export interface Span {
  readonly start: number;
  /** The index after its last character. */
  readonly end: number;
}

/**
 * Where `text` shares runs of `length` characters with `other`: the fewest spans that cover them, in
 * order. The cost grows with the sum of both lengths, as in the Rabin-Karp search: a table holds the
 * runs of the shorter text by their rolling hash, and the runs of the longer one are looked up in it.
 */
export function sharedSpans(text: string, other: string, length: number): readonly Span[] {
  if (length < 1 || Math.min(text.length, other.length) < length) return [];
  const isShared = new Uint8Array(text.length - length + 1);
  if (text.length > other.length) {
    const table = new RunTable(codesOf(other), length);
    table.lookUp(codesOf(text), (_, at) => {
      isShared[at] = 1;
    });
  } else {
    const table = new RunTable(codesOf(text), length);
    table.lookUp(codesOf(other), (start) => {
      isShared[start] = 1;
    });
    for (let at = 0; at < isShared.length; at += 1) {
      isShared[at] = isShared[table.firstAlike(at)] ?? 0;
    }
  }
  return spansOf(isShared, length);
}

function spansOf(isShared: Uint8Array, length: number): readonly Span[] {
  const spans: Span[] = [];
  let start = isShared.indexOf(1);
  while (start >= 0) {
    let end = start + length;
    for (let at = start + 1; at <= end && at < isShared.length; at += 1) {
      if (isShared[at] === 1) end = at + length;
    }
    spans.push({ start, end });
    start = isShared.indexOf(1, end);
  }
  return spans;
}

/** The UTF-16 code units; an array is several times as fast to iterate as a string. */
function codesOf(text: string): Uint16Array {
  const codes = new Uint16Array(text.length);
  for (let at = 0; at < codes.length; at += 1) codes[at] = text.charCodeAt(at);
  return codes;
}

/** Odd, so that multiplication modulo 2^32 is invertible; the prime of the FNV hash. */
const MULTIPLIER = 0x01_00_01_93;

/** The runs of a text in a hash table; each hash is derived from that of the previous run. */
class RunTable {
  readonly #codes: Uint16Array;
  readonly #length: number;
  /** The factor of a run's first character in its hash. */
  readonly #firstWeight: number;
  /** Open addressing: the start of a run plus 1, or 0 in an empty slot. */
  readonly #slots: Int32Array;
  readonly #firstAlike: Int32Array;

  constructor(codes: Uint16Array, length: number) {
    const count = codes.length - length + 1;
    this.#codes = codes;
    this.#length = length;
    let weight = 1;
    for (let index = 1; index < length; index += 1) weight = Math.imul(weight, MULTIPLIER);
    this.#firstWeight = weight;
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(2 * count)));
    this.#firstAlike = new Int32Array(count);
    let hash = this.#hashBefore(codes);
    for (let start = 0; start < count; start += 1) {
      hash = this.#nextHash(hash, codes, start);
      const slot = this.#slotOf(hash, codes, start);
      const taken = this.#slots[slot] ?? 0;
      if (taken === 0) this.#slots[slot] = start + 1;
      this.#firstAlike[start] = taken === 0 ? start : taken - 1;
    }
  }

  /** Where the run that starts at `start` occurs first. */
  firstAlike(start: number): number {
    return this.#firstAlike[start] ?? start;
  }

  /** Calls `found` for each run of `codes` that the table holds, with its first start in the table and its start in `codes`. */
  lookUp(codes: Uint16Array, found: (start: number, at: number) => void): void {
    const own = this.#codes;
    const length = this.#length;
    let hash = this.#hashBefore(codes);
    // After a run that was found, only one more character has to be compared.
    let before = own.length;
    for (let at = 0; at + length <= codes.length; at += 1) {
      hash = this.#nextHash(hash, codes, at);
      const isLonger = own[before + length] === codes[at + length - 1];
      const taken = isLonger ? before + 2 : (this.#slots[this.#slotOf(hash, codes, at)] ?? 0);
      before = taken === 0 ? own.length : this.firstAlike(taken - 1);
      if (taken !== 0) found(before, at);
    }
  }

  /** The hash that `#nextHash` takes at 0. */
  #hashBefore(codes: Uint16Array): number {
    let hash = 0;
    for (let at = 0; at < this.#length - 1; at += 1) {
      hash = (Math.imul(hash, MULTIPLIER) + (codes[at] ?? 0)) | 0;
    }
    return hash;
  }

  /** The hash of the run at `at`, derived from the hash of the run before it. */
  #nextHash(hash: number, codes: Uint16Array, at: number): number {
    const first = at === 0 ? 0 : Math.imul(codes[at - 1] ?? 0, this.#firstWeight);
    return (Math.imul(hash - first, MULTIPLIER) + (codes[at + this.#length - 1] ?? 0)) | 0;
  }

  /** The slot that holds the run at `at` of `codes`, or the empty slot for it. */
  #slotOf(hash: number, codes: Uint16Array, at: number): number {
    const last = this.#slots.length - 1;
    for (let slot = spread(hash) & last; ; slot = (slot + 1) & last) {
      const taken = this.#slots[slot] ?? 0;
      if (taken === 0 || this.#isAlike(taken - 1, codes, at)) return slot;
    }
  }

  #isAlike(start: number, codes: Uint16Array, at: number): boolean {
    for (let offset = 0; offset < this.#length; offset += 1) {
      if (this.#codes[start + offset] !== codes[at + offset]) return false;
    }
    return true;
  }
}

/** Mixes the high bits into the lowest ones, which choose the slot. */
function spread(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 15), 0x2c_1b_3c_6d);
  return mixed ^ (mixed >>> 13);
}
