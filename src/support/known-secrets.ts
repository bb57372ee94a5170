import type { Secret } from './secret.ts';
import { withoutJwts } from './secret-patterns.ts';

/** Enough for the tokens of several refreshes, and for every password of a usual passfile. */
const MOST_KEPT = 32;

/**
 * A shorter password would be found in many a text by chance, and so be given away by what is
 * missing there.
 */
export const SHORTEST_PASSWORD = 8;

/** The secrets that texts from outside may quote: the latest ones, whichever part of the program met them. */
export class KnownSecrets {
  #kept: readonly Secret[] = [];

  add(...secrets: readonly Secret[]): void {
    const added = secrets.filter(({ length }) => length >= SHORTEST_PASSWORD).slice(-MOST_KEPT);
    const others = this.#kept.filter((kept) => !added.some((each) => each.equals(kept)));
    this.#kept = [...others, ...added].slice(-MOST_KEPT);
  }

  get all(): readonly Secret[] {
    return this.#kept;
  }

  /** `text` without any piece of them, nor of any other JWT. */
  redactFrom(text: string): string {
    return withoutJwts(this.#kept.reduce((clean, secret) => secret.redactFrom(clean), text));
  }
}
