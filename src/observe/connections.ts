/** What is asked of a socket here. */
interface Connection {
  once(event: 'close', listener: () => void): unknown;
  destroy(): unknown;
}

/** A connection is good for one request, and in one of these states, in this order. */
type State = 'waiting' | 'in work' | 'answered';

/**
 * The open connections, at most `limit`. Where one more comes, the oldest that has no request in
 * work gives way, not the newcomer: whoever only holds a connection open, and neither asks nor
 * reads, keeps nobody out. Node's `server.maxConnections` turns the newcomer away instead.
 */
export class Connections<C extends Connection> {
  readonly #limit: number;
  /** The oldest first, as a map keeps its keys. */
  readonly #open = new Map<C, { state: State }>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(connection: C): void {
    this.#open.set(connection, { state: 'waiting' });
    connection.once('close', () => this.#open.delete(connection));
    if (this.#open.size > this.#limit) this.#evictOne();
  }

  /** Whether this is the connection's first request, and so worth an answer. */
  begin(connection: C): boolean {
    const entry = this.#open.get(connection);
    if (entry?.state !== 'waiting') return false;
    entry.state = 'in work';
    return true;
  }

  end(connection: C): void {
    const entry = this.#open.get(connection);
    if (entry !== undefined) entry.state = 'answered';
  }

  /** Where all are in work it is the newcomer after all: it has not asked yet. */
  #evictOne(): void {
    for (const [connection, { state }] of this.#open) {
      if (state === 'in work') continue;
      this.#open.delete(connection);
      connection.destroy();
      return;
    }
  }
}
