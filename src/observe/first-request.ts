import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { RequestHead } from './request-head.ts';

/**
 * A connection of which no more can be read than the head of its first request; what is written goes
 * to the socket. Node's HTTP server parses all that it is given at once, and a single read may bring
 * thousands of requests: https://nodejs.org/docs/latest-v24.x/api/http.html#event-connection
 *
 * The socket needs a `highWaterMark` of 1, and is destroyed when nothing has moved for `patienceMs`.
 */
export class FirstRequest extends Duplex {
  readonly #socket: Socket;
  readonly #head: RequestHead;
  #understood = false;

  constructor(socket: Socket, longestHeadBytes: number, patienceMs: number) {
    super();
    this.#socket = socket;
    this.#head = new RequestHead(longestHeadBytes);
    socket
      .on('data', (bytes: Buffer<ArrayBuffer>) => this.#take(bytes))
      .on('end', () => this.push(null))
      .on('error', (error) => this.destroy(error))
      .on('close', () => this.destroy())
      .setTimeout(patienceMs, () => this.destroy());
  }

  /** The head was one of a request, and the answer comes. */
  understood(): void {
    this.#understood = true;
  }

  #take(bytes: Buffer<ArrayBuffer>): void {
    const ours = Buffer.from(bytes.subarray(0, this.#head.lengthIn(bytes)));
    // Frees them at once: hundreds of reads of 64 KiB would wait for the garbage collector.
    bytes.buffer.transfer(0);
    // A paused socket stops reading once something is left to read.
    if (this.#head.over) this.#socket.pause().unshift(Buffer.of(0));
    this.push(ours);
    // Where the parser has seen no request by now, there is none.
    if (this.#head.over && !this.#understood) this.push(null);
  }

  /** The bytes come by themselves. */
  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, done);
  }

  /** What is read was all there is to read, so that the end of writing is that of the connection. */
  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(() => {
      done();
      this.destroy();
    });
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }
}
