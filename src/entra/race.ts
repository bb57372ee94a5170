import { connect, isIPv6, type Socket } from 'node:net';
import type { Attempt } from './way.ts';

/** How much earlier each address is tried than the next, where there is time for it: RFC 8305, section 5. */
const LONGEST_HEAD_START_MS = 250;

export interface Race extends Pick<Attempt, 'clock' | 'signal' | 'timeoutMs'> {
  readonly port: number;
  readonly onTry: (address: string) => void;
}

/**
 * A connection to whichever of `addresses` takes one first. Node itself gives up each address but the
 * last after 250 ms, however much time there is; here the next address is tried then, and those before
 * stay in the race until there is a winner or `signal` aborts.
 *
 * @throws the reason of `signal`, or the error of the one address, or an AggregateError
 */
export async function firstToConnect(addresses: readonly string[], race: Race): Promise<Socket> {
  const { clock, signal, timeoutMs, port, onTry } = race;
  // All have been tried by the middle of the attempt.
  const headStartMs = Math.min(LONGEST_HEAD_START_MS, timeoutMs / 2 / addresses.length);
  const queue = alternating(addresses);
  const runners = new Set<Socket>();
  const errors: unknown[] = [];
  const decided = new AbortController();
  try {
    return await new Promise<Socket>((resolve, reject) => {
      const start = () => {
        const address = queue.shift();
        if (address === undefined || decided.signal.aborted) return;
        onTry(address);
        const socket = connect({ host: address, port, noDelay: true });
        runners.add(socket);
        let failed = false;
        socket.once('connect', () => {
          // Several may get there in one turn of the loop.
          if (decided.signal.aborted) return void socket.destroy();
          runners.delete(socket);
          decided.abort();
          resolve(socket);
        });
        socket.on('error', (error) => {
          if (!runners.delete(socket)) return;
          failed = true;
          errors.push(error);
          if (queue.length > 0) start();
          else if (runners.size === 0) reject(onlyOf(errors));
        });
        if (queue.length === 0) return;
        void clock.sleep(headStartMs, decided.signal).then(() => {
          if (!failed) start();
        });
      };
      const breakOff = () => {
        decided.abort();
        reject(signal.reason);
      };
      signal.addEventListener('abort', breakOff, { once: true });
      if (signal.aborted) breakOff();
      else start();
    });
  } finally {
    decided.abort();
    for (const socket of runners) socket.destroy();
  }
}

function onlyOf(errors: readonly unknown[]): unknown {
  return errors.length === 1
    ? errors[0]
    : new AggregateError(errors, 'no address takes a connection');
}

/** The families in turn, beginning with that of the first address: RFC 8305, section 4. */
function alternating(addresses: readonly string[]): string[] {
  const first = addresses.filter((each) => isIPv6(each) === isIPv6(addresses[0] ?? ''));
  const second = addresses.filter((each) => !first.includes(each));
  return Array.from({ length: Math.max(first.length, second.length) }, (_, turn) =>
    [first[turn], second[turn]].filter((each) => each !== undefined),
  ).flat();
}
