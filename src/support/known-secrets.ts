import type { Secret } from './secret.ts';
import { withoutJwts } from './secret-patterns.ts';

/** Enough for the tokens of several refreshes, and for every password of a usual passfile. */
const MOST_KEPT = 32;

/**
 * A shorter password would be found in many a text by chance, and so be given away by what is
 * missing there.
 */
export const SHORTEST_PASSWORD = 8;

/** The secrets that texts from outside may quote, whichever part of the program met them. */
export class KnownSecrets {
  #latest: readonly Secret[] = [];
  #inPlace: readonly Secret[] = [];

  /** Tokens and assertions: the latest ones are kept. */
  add(...secrets: readonly Secret[]): void {
    this.#latest = distinct([...this.#latest, ...secrets]);
  }

  /** What a passfile held at the start, which stays known. */
  addInPlace(secrets: readonly Secret[]): void {
    this.#inPlace = distinct([...this.#inPlace, ...secrets]);
  }

  get all(): readonly Secret[] {
    return [...this.#inPlace, ...this.#latest];
  }

  /** `text` without any piece of them, nor of any other JWT. */
  redactFrom(text: string): string {
    return withoutJwts(this.all.reduce((clean, secret) => secret.redactFrom(clean), text));
  }
}

/** The last of them that are long enough, each once. */
function distinct(secrets: readonly Secret[]): readonly Secret[] {
  const kept: Secret[] = [];
  for (const secret of secrets.toReversed()) {
    if (kept.length === MOST_KEPT) break;
    if (secret.length >= SHORTEST_PASSWORD && !kept.some((each) => each.equals(secret))) {
      kept.unshift(secret);
    }
  }
  return kept;
}
