import fc from 'fast-check';
import { anyCharacter } from '../support/any-character.ts';

/** Makes texts of `samples`, which a parser takes, and of `pieces`, which mean something to it. */
export type Texts = (samples: readonly string[], pieces: readonly string[]) => fc.Arbitrary<string>;

/** One parser of what comes from outside, and what must hold for whatever it is given. */
export interface FuzzTarget {
  readonly name: string;
  inputs(texts: Texts): fc.Arbitrary<unknown>;
  /** How many inputs the tests give it; ten thousand unless it is slow. */
  readonly runsInTests: number;
  /** Throws or rejects when the input shows a defect. */
  run(input: unknown): void | Promise<void>;
}

export function fuzz<T>(
  name: string,
  inputs: (texts: Texts) => fc.Arbitrary<T>,
  run: (input: T) => void | Promise<void>,
  runsInTests = 5_000,
): FuzzTarget {
  return { name, inputs, run: run as FuzzTarget['run'], runsInTests };
}

export function propertyOf(
  target: FuzzTarget,
  texts: Texts,
  run = target.run,
): fc.IAsyncProperty<[unknown]> {
  return fc.asyncProperty(target.inputs(texts), async (input) => run(input));
}

const ODD_PIECES = ['\0', '\n', '\r', '\\', "'", '"', 'ä', '🐘', '\u202e'];

interface Edit {
  /** Share of the text before it. */
  readonly at: number;
  readonly removed: number;
  readonly inserted: string;
}

const share = fc.double({ min: 0, max: 1, noNaN: true });

/** Any text, texts of these pieces, and these texts with a few edits: what almost fits finds the most. */
export const nearly: Texts = (samples, pieces) => {
  const piece = fc.constantFrom(...pieces, ...ODD_PIECES);
  const edit: fc.Arbitrary<Edit> = fc.record({
    at: share,
    removed: fc.nat({ max: 8 }),
    inserted: fc.oneof(piece, fc.constant('')),
  });
  return fc.oneof(
    fc.string({ unit: anyCharacter, maxLength: 40 }),
    fc.array(piece, { maxLength: 24 }).map((each) => each.join('')),
    fc
      .tuple(fc.constantFrom(...samples), fc.array(edit, { maxLength: 4 }))
      .map(([sample, edits]) => edits.reduce(applyEdit, sample)),
  );
};

/** What an environment variable or a template can hold; quadratic time is minutes here. */
const LONG = 100_000;

/** These texts with one or two pieces in them, over and over: a parser that is not linear hangs. */
export const drawnOut: Texts = (samples, pieces) => {
  const piece = fc.constantFrom(...pieces, ...ODD_PIECES);
  return fc
    .record({
      sample: fc.constantFrom('', ...samples),
      at: fc.oneof(fc.constantFrom(0, 1), share),
      repeated: fc.array(piece, { minLength: 1, maxLength: 2 }).map((each) => each.join('')),
      after: fc.oneof(piece, fc.constant('')),
    })
    .map(({ sample, at, repeated, after }) => {
      const inserted = repeated.repeat(Math.ceil(LONG / repeated.length)) + after;
      return applyEdit(sample, { at, removed: 0, inserted });
    });
};

function applyEdit(text: string, { at, removed, inserted }: Edit): string {
  const start = Math.floor(at * text.length);
  return text.slice(0, start) + inserted + text.slice(start + removed);
}
