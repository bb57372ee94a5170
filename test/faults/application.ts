import { EventEmitter, on } from 'node:events';
import { type Connect, connectRegularly } from '../demo/client-loop.ts';
import { psql, type QueryOptions } from '../support/postgres/clients.ts';

export interface Application {
  /** Settles with the first connect that begins from now on, as soon as it is over. */
  nextConnect(): Promise<Connect>;
  /** Lets the connect under way end. Resolves with all there were, oldest first. */
  stop(): Promise<readonly Connect[]>;
}

/** Often enough for an outage of a second, and not all that the machine does. */
const INTERVAL_MS = 700;

/** An application that connects again and again, with a new psql each time. */
export function startApplication(client: QueryOptions): Application {
  const stopping = new AbortController();
  const connects: Connect[] = [];
  const over = new EventEmitter<{ connect: [Connect] }>();
  const stopped = connectRegularly(
    {
      intervalMs: INTERVAL_MS,
      connect: () => psql(client),
      onConnect: (connect) => {
        connects.push(connect);
        over.emit('connect', connect);
      },
      interrupted: new AbortController().signal,
    },
    stopping.signal,
  );
  return {
    nextConnect: async () => {
      const askedAt = performance.now();
      for await (const [connect] of on(over, 'connect') as AsyncIterable<[Connect]>) {
        if (performance.now() - connect.tookMs >= askedAt) return connect;
      }
      throw new Error('unreachable: the events never end');
    },
    stop: async () => {
      stopping.abort();
      await stopped;
      return connects;
    },
  };
}
