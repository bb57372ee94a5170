import fc from 'fast-check';

const SURROGATES = { from: 0xd800, count: 0x800 } as const;

const characterAt = (index: number) =>
  String.fromCodePoint(index < SURROGATES.from ? index : index + SURROGATES.count);

/** @throws when it is not one character of ours; fast-check asks for the others, too. */
function indexOf(character: unknown): number {
  const code = String(character).codePointAt(0) ?? 0;
  const index = code < SURROGATES.from ? code : code - SURROGATES.count;
  if (characterAt(index) !== character) throw new TypeError('not one character');
  return index;
}

/**
 * Any code point but a surrogate, as the unit of a string. For its own such units, fast-check first makes
 * a table of all of them, which takes each process a second or two.
 */
export const anyCharacter = fc.nat({ max: 0x10ffff - SURROGATES.count }).map(characterAt, indexOf);
