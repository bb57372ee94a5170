import { setTimeout as sleep } from 'node:timers/promises';
import { psql, type QueryOptions } from '../support/postgres/clients.ts';

/** How an attempt to connect ended, and what the client printed. */
interface Connect {
  readonly ok: boolean;
  readonly error: string;
}

export interface Application {
  /** Connects once more at once, after the connect under way if there is one. Settles when it is over. */
  nextConnect(): Promise<void>;
  /** Lets the connect under way end. Resolves with all there were, oldest first. */
  stop(): Promise<readonly Connect[]>;
}

/** Seldom enough not to be all that the machine does; what has to meet an outage is asked for. */
const INTERVAL_MS = 3_000;

/** An application that connects again and again, with a new psql each time. */
export function startApplication(client: QueryOptions): Application {
  const stopping = new AbortController();
  const connects: Connect[] = [];
  let last: Promise<void> = Promise.resolve();
  const connect = (): Promise<void> => {
    last = last.then(async () => {
      const { code, stderr } = await psql(client);
      connects.push({ ok: code === 0, error: stderr });
    });
    return last;
  };
  const regularly = async (): Promise<void> => {
    const { signal } = stopping;
    while (!signal.aborted) {
      await connect();
      await sleep(INTERVAL_MS, undefined, { signal }).catch(() => {});
    }
  };
  const stopped = regularly();
  // A failed connect rejects the promise that waits for it.
  stopped.catch(() => {});
  return {
    nextConnect: connect,
    stop: async () => {
      stopping.abort();
      await stopped;
      await last;
      return connects;
    },
  };
}
