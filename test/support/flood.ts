import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

/**
 * A program that lets COUNT clients loose on a port of the loopback until it is killed, of the kind that
 * the last line of standard input names: first all of them connect, then they speak. A client that is cut off
 * connects and speaks again after PAUSE milliseconds. Prints a line when all of a kind have spoken.
 */

const GET = 'GET / HTTP/1.1\r\nHost:\r\n\r\n';
const HEAD_LINES = 'GET /livez HTTP/1.1\r\nHost: pod\r\n';
const MB = 1_000_000;

const speakers: Readonly<Record<string, (socket: Socket) => void>> = {
  pipelined: saying(GET.repeat(2_600)),
  'pipelined without end': (socket) => repeat(socket, Buffer.from(GET.repeat(2_600))),
  'byte by byte': (socket) => {
    const bytes = Buffer.from(`${HEAD_LINES}X: ${'x'.repeat(8_000)}\r\n\r\n`);
    let said = 0;
    const timer = setInterval(() => socket.write(bytes.subarray(said, ++said)), 20);
    socket.once('close', () => clearInterval(timer));
  },
  silent: () => undefined,
  'half a request': saying(HEAD_LINES),
  'half-closed': (socket) => socket.end('GET /readyz HTTP/1.1\r\nHost: pod\r\n\r\n'),
  'half-closed in a head': (socket) => socket.end(HEAD_LINES),
  'never reading': (socket) => {
    socket.pause();
    repeat(socket, Buffer.from('GET /metrics HTTP/1.1\r\nHost: pod\r\n\r\n'));
  },
  'readiness and metrics': (socket) =>
    socket.write(
      `GET /${Math.random() < 0.5 ? 'readyz' : 'metrics'} HTTP/1.1\r\nHost: pod\r\n\r\n`,
    ),
  'header of 1 MB': saying(`${HEAD_LINES}X: ${'x'.repeat(MB)}\r\n\r\n`),
  'thousands of headers': saying(`${HEAD_LINES}${'a:\r\n'.repeat(MB / 4)}\r\n`),
  'body of 1 MB': saying(
    `POST /livez HTTP/1.1\r\nHost: pod\r\nContent-Length: ${MB}\r\n\r\n${'x'.repeat(MB)}`,
  ),
  'body in chunks': saying(
    `POST /livez HTTP/1.1\r\nHost: pod\r\nTransfer-Encoding: chunked\r\n\r\n${'1\r\nx\r\n'.repeat(MB / 6)}`,
  ),
  'blank lines': (socket) => repeat(socket, Buffer.from('\r\n'.repeat(32_768))),
  'no HTTP': saying('\0'.repeat(MB)),
};

function saying(text: string): (socket: Socket) => void {
  const bytes = Buffer.from(text);
  return (socket) => void socket.write(bytes);
}

function repeat(socket: Socket, bytes: Buffer): void {
  if (!socket.destroyed) socket.write(bytes, (error) => !error && repeat(socket, bytes));
}

const { positionals } = parseArgs({ allowPositionals: true });
const [port, count, pauseMs] = positionals;

/** Of the present kind. */
let sockets = new Set<Socket>();

function open(of: Set<Socket>, speak: (socket: Socket) => void): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port: Number(port), allowHalfOpen: true });
  of.add(socket);
  const again = () => of === sockets && void open(of, speak).then(speak);
  socket
    .resume()
    .on('end', () => socket.destroy())
    // A reset is one of the ways to be cut off.
    .on('error', () => undefined)
    .on('close', () => {
      of.delete(socket);
      setTimeout(again, Number(pauseMs));
    });
  return new Promise((resolve) => socket.once('connect', () => resolve(socket)));
}

for await (const kind of createInterface({ input: process.stdin })) {
  const speak = speakers[kind];
  if (speak === undefined) throw new Error(`no such kind of client: ${kind}`);
  const before = sockets;
  const ours = new Set<Socket>();
  sockets = ours;
  for (const socket of before) socket.destroy();
  // One after the other, lest the system's queue of 511 run over.
  const opened: Socket[] = [];
  while (opened.length < Number(count)) opened.push(await open(ours, speak));
  for (const socket of opened) if (!socket.destroyed) speak(socket);
  console.log('all have spoken');
}
