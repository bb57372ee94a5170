import fc from 'fast-check';

/** One parser of what comes from outside, and what must hold for whatever it is given. */
export interface FuzzTarget {
  readonly name: string;
  readonly property: fc.IProperty<unknown>;
}

export function fuzz<T>(
  name: string,
  input: fc.Arbitrary<T>,
  check: (input: T) => void,
): FuzzTarget {
  return { name, property: fc.property(input, check) as fc.IProperty<unknown> };
}

interface Edit {
  /** Share of the text before it. */
  readonly at: number;
  readonly removed: number;
  readonly inserted: string;
}

/** Any text, texts of these pieces, and these texts with a few edits: what almost fits finds the most. */
export function nearly(
  samples: readonly string[],
  pieces: readonly string[],
): fc.Arbitrary<string> {
  const piece = fc.constantFrom(...pieces, '\0', '\n', '\r', '\\', "'", '"', 'ä', '🐘', '\u202e');
  const edit: fc.Arbitrary<Edit> = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    removed: fc.nat({ max: 8 }),
    inserted: fc.oneof(piece, fc.constant('')),
  });
  return fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.array(piece, { maxLength: 24 }).map((each) => each.join('')),
    fc
      .tuple(fc.constantFrom(...samples), fc.array(edit, { maxLength: 4 }))
      .map(([sample, edits]) => edits.reduce(applyEdit, sample)),
  );
}

function applyEdit(text: string, { at, removed, inserted }: Edit): string {
  const start = Math.floor(at * text.length);
  return text.slice(0, start) + inserted + text.slice(start + removed);
}
