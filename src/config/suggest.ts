import leven from 'leven';

/** A known word is near if at most this many characters are wrong, and more than this share is right. */
const MOST_EDITS = 3;
const LEAST_SIMILARITY = 0.4;

/** Anything shorter is the beginning of too many words. */
const SHORTEST_BEGINNING = 3;

/** The known word that was probably meant, if one is near. `prefix` begins all of them, and is not compared. */
export function suggestionFor(
  word: string,
  known: readonly string[],
  prefix = '',
): string | undefined {
  const [, typed = ''] = new RegExp(`^(?:${prefix})?([\\w-]{0,64})`, 'i').exec(word) ?? [];
  const candidates = known.map((each) => {
    const name = each.slice(prefix.length);
    return { each, name, edits: leven(typed, name) };
  });
  const near = candidates
    .filter(({ name, edits }) => isNear(edits, Math.max(typed.length, name.length)))
    .toSorted((one, other) => one.edits - other.edits);
  const begun = candidates.filter(({ name }) => name.startsWith(typed));
  const [nearest] = near.length > 0 || typed.length < SHORTEST_BEGINNING ? near : begun;
  return nearest?.each;
}

function isNear(edits: number, length: number): boolean {
  return edits <= MOST_EDITS && (length - edits) / length > LEAST_SIMILARITY;
}

/** `; did you mean X?` where something is near. */
export function didYouMean(word: string, known: readonly string[], prefix?: string): string {
  const suggestion = suggestionFor(word, known, prefix);
  return suggestion === undefined ? '' : `; did you mean ${suggestion}?`;
}

/** Anything shorter is no secret. */
const LONGEST_UNKNOWN = 15;

/**
 * A word as we may repeat it: a plain one that is short, or a known one misspelt. Anything else might
 * be a password, or an entry that holds one, and is called `otherwise`.
 */
export function quotable(word: string, known: readonly string[], otherwise: string): string {
  if (!/^[\w-]{1,64}$/.test(word)) return otherwise;
  const isKnown = word.length <= LONGEST_UNKNOWN || suggestionFor(word, known) !== undefined;
  return isKnown ? word : otherwise;
}

/** An environment may hold thousands of unknown variables. */
const MOST_LISTED = 20;

/** A sentence for each of the first words, and one for the number of `others`. */
export function sentencesFor(
  words: readonly string[],
  others: string,
  sentenceFor: (word: string) => string,
): readonly string[] {
  const more = words.length - MOST_LISTED;
  const sentences = words.slice(0, MOST_LISTED).map(sentenceFor);
  return more > 0 ? [...sentences, `there are ${more} more ${others}`] : sentences;
}
