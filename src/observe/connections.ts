/**
 * Far more than kubelet, Prometheus and a few people need: among many who connect at once none is
 * to give way before its request was read.
 */
const MOST_CONNECTIONS = 512;

/** The rest of the open files is for exchanges and the passfile. */
const SHARE_OF_OPEN_FILES = 1 / 4;

/** How many connections to keep open at once under these limits, in the format of `/proc/self/limits`. */
export function mostConnections(limits: string): number {
  const openFiles = Number(/^Max open files +(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY);
  return Math.max(1, Math.min(MOST_CONNECTIONS, Math.floor(openFiles * SHARE_OF_OPEN_FILES)));
}

/** What is asked of a connection here. */
interface Connection {
  once(event: 'close', listener: () => void): unknown;
  destroy(): unknown;
}

/** A connection is good for one request, and in one of these states, in this order. */
type State = 'waiting' | 'in work' | 'answered';

/**
 * The open connections, at most `limit`. Where one more comes, the oldest that has its answer gives way.
 * Where none has, it is one of the older half: the oldest whose request has not come, else the oldest.
 * The newcomer may be a probe, and so may the others of the newer half, whose requests may not have
 * been read yet. Node's `server.maxConnections` turns the newcomer away instead.
 */
export class Connections<C extends Connection> {
  readonly #limit: number;
  /** The oldest first, as a map keeps its keys. */
  readonly #open = new Map<C, State>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(connection: C): void {
    if (this.#open.size === this.#limit) this.#evictOne();
    this.#open.set(connection, 'waiting');
    connection.once('close', () => this.#open.delete(connection));
  }

  begin(connection: C): void {
    if (this.#open.has(connection)) this.#open.set(connection, 'in work');
  }

  end(connection: C): void {
    if (this.#open.has(connection)) this.#open.set(connection, 'answered');
  }

  #evictOne(): void {
    const evicted =
      this.#oldest('answered', this.#limit) ??
      this.#oldest('waiting', Math.ceil(this.#limit / 2)) ??
      this.#open.keys().next().value;
    if (evicted === undefined) return;
    this.#open.delete(evicted);
    evicted.destroy();
  }

  /** In this state, among the `count` oldest. */
  #oldest(state: State, count: number): C | undefined {
    let left = count;
    for (const [connection, its] of this.#open) {
      if (its === state) return connection;
      left -= 1;
      if (left === 0) break;
    }
    return undefined;
  }
}
