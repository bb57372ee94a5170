import { EventEmitter } from 'node:events';
import { type Login, type Observation, readObservation } from './azure/observation.ts';

/** Everything that Azure's stand-in has seen, as it comes. */
export class Observations {
  readonly #all: Observation[] = [];
  readonly #arrivals = new EventEmitter<{ arrival: [] }>();

  constructor() {
    // One for each scenario that waits.
    this.#arrivals.setMaxListeners(0);
  }

  /** Those so far. */
  get all(): readonly Observation[] {
    return this.#all;
  }

  /** Reads the log of the stand-in to its end. */
  async read(lines: AsyncIterable<string>): Promise<void> {
    for await (const line of lines) {
      const observation = readObservation(line);
      if (observation === undefined) continue;
      this.#all.push(observation);
      this.#arrivals.emit('arrival');
    }
  }

  /**
   * Waits until a look at all of them finds what it is after.
   *
   * @throws after the time allowed, or what the look throws
   */
  async until<R>(
    look: (all: readonly Observation[]) => R | undefined,
    what: string,
    timeoutMs: number,
  ): Promise<R> {
    const late = AbortSignal.timeout(timeoutMs);
    const { promise, resolve, reject } = Promise.withResolvers<R>();
    const attempt = (): void => {
      try {
        const found = look(this.#all);
        if (found !== undefined) resolve(found);
      } catch (error) {
        reject(error);
      }
    };
    const giveUp = (): void => reject(new Error(`waited ${timeoutMs / 1000} s for ${what}`));
    late.addEventListener('abort', giveUp);
    this.#arrivals.on('arrival', attempt);
    attempt();
    try {
      return await promise;
    } finally {
      late.removeEventListener('abort', giveUp);
      this.#arrivals.off('arrival', attempt);
    }
  }
}

export interface Logins {
  readonly count: number;
  /** How many tokens they came with. */
  readonly tokens: number;
}

/**
 * How the clients of a database got in.
 *
 * @throws when one was turned away
 */
export function tallyLogins(all: readonly Observation[], database: string): Logins {
  const logins = all.filter(
    (each): each is Login => each.event === 'login' && each.database === database,
  );
  const refused = logins.find(({ ok }) => !ok);
  if (refused) throw new Error(`a client of ${database} was turned away: ${refused.reason}`);
  return { count: logins.length, tokens: new Set(logins.map(({ token }) => token)).size };
}

/** What became of the federated tokens of a service account. */
export function refusalsOf(all: readonly Observation[], subject: string): readonly number[] {
  return all.flatMap((each) =>
    each.event === 'exchange' && each.subject === subject && each.aadsts ? [each.aadsts] : [],
  );
}
