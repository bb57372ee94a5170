/**
 * How many connections the HTTP server keeps open, and how much it reads from each: no client can keep
 * kubelet's probes from being answered.
 */

/** Far more than kubelet, Prometheus and a few people need, even when all of them connect at once. */
const MOST_CONNECTIONS = 512;

/** The other open files are left to exchanges and the passfile. */
const SHARE_OF_OPEN_FILES = 1 / 4;

/** How many connections to keep open at once under these limits, in the format of `/proc/self/limits`. */
export function mostConnections(limits: string): number {
  const openFiles = Number(/^Max open files +(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY);
  return Math.max(1, Math.min(MOST_CONNECTIONS, Math.floor(openFiles * SHARE_OF_OPEN_FILES)));
}

interface Closable {
  once(event: 'close', listener: () => void): unknown;
  destroy(): unknown;
}

/** A connection serves one request, and passes through these states. */
type State = 'waiting' | 'in work' | 'answered';

/**
 * The open connections, at most `limit`. When another one comes, the oldest that has been answered is
 * closed. If there is none, it is one of the older half: the oldest whose request has not arrived, else
 * the oldest. The newcomer may be a probe, and so may the newer half, whose requests may not have been
 * read yet; Node's `server.maxConnections` would refuse the newcomer instead.
 */
export class Connections<C extends Closable> {
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

  /** The oldest in this state, among the `count` oldest. */
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

const CR = 0x0d;
const LF = 0x0a;

/**
 * Finds the end of the first request's head, in whatever pieces it arrives: the first empty line after a
 * line that is not empty. Blank lines before a request are skipped (RFC 9112 section 2.2). A lone LF ends a
 * line as well, so that no parser can see an earlier end than this.
 */
export class RequestHead {
  /** How many more bytes may belong to the head. */
  #leftBytes: number;
  #begun = false;
  #lineIsEmpty = true;

  /** A head longer than this, including blank lines before it, is cut there. */
  constructor(longestBytes: number) {
    this.#leftBytes = longestBytes;
  }

  get over(): boolean {
    return this.#leftBytes === 0;
  }

  /** How many of the next bytes belong to the head: all of them, until it is over. */
  lengthIn(bytes: Uint8Array): number {
    const most = Math.min(bytes.length, this.#leftBytes);
    let begun = this.#begun;
    let lineIsEmpty = this.#lineIsEmpty;
    for (let at = 0; at < most; at += 1) {
      const byte = bytes[at];
      if (byte === LF) {
        if (begun && lineIsEmpty) {
          this.#leftBytes = 0;
          return at + 1;
        }
        lineIsEmpty = true;
      } else if (byte !== CR) {
        begun = true;
        lineIsEmpty = false;
      }
    }
    this.#begun = begun;
    this.#lineIsEmpty = lineIsEmpty;
    this.#leftBytes -= most;
    return most;
  }
}
