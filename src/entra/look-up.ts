import { ADDRCONFIG } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { unlessAborted } from '../support/deadline.ts';
import type { Attempt } from './way.ts';

/** The addresses of a name. Throws Node's error, or the reason of the attempt's signal. */
export type LookUp = (
  name: string,
  attempt: Pick<Attempt, 'clock' | 'signal'>,
) => Promise<readonly string[]>;

/** A little more than the longest wait between two tries that Entra's or the network's failure calls for. */
const LATE_ANSWER_LASTS_MS = 150_000;

interface Query {
  readonly addresses: Promise<readonly string[]>;
  /** By the monotonic clock. */
  answeredAtMs?: number;
}

/**
 * Looks names up as the system does, and lets no answer go to waste that comes after an attempt has
 * given up: the next attempt waits for the same query, or finds its answer. An answer serves once, so
 * that addresses can change. There is one query of a name at most: each occupies one of the few threads
 * that Node has for this and for files.
 */
export function patientLookUp(ask: (name: string) => Promise<readonly string[]>): LookUp {
  const queries = new Map<string, Query>();

  function begin(name: string, { clock }: Pick<Attempt, 'clock'>): Query {
    const query: Query = { addresses: ask(name) };
    queries.set(name, query);
    query.addresses.then(
      () => {
        query.answeredAtMs = clock.now().monotonicMs;
      },
      () => queries.delete(name),
    );
    return query;
  }

  return async (name, attempt) => {
    const { clock, signal } = attempt;
    const { answeredAtMs = Number.POSITIVE_INFINITY } = queries.get(name) ?? {};
    if (clock.now().monotonicMs - answeredAtMs > LATE_ANSWER_LASTS_MS) queries.delete(name);
    const query = queries.get(name) ?? begin(name, attempt);
    const addresses = await unlessAborted(query.addresses, signal);
    if (queries.get(name) === query) queries.delete(name);
    return addresses;
  };
}

/** By getaddrinfo(3); families that this machine has no address of are left out, as by Node itself. */
export async function askSystem(name: string): Promise<readonly string[]> {
  const found = await lookup(name, { all: true, hints: ADDRCONFIG });
  return found.map(({ address }) => address);
}
