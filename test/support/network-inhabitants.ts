/** What lives in a network of `network.ts`: a program of its own, since a network is a process's. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

export interface Inhabitants {
  readonly listening: readonly {
    readonly host: string;
    readonly port: number;
    /** The socket that a connection leads to. */
    readonly path: string;
  }[];
  readonly dns?: Readonly<Record<string, DnsAnswer>>;
}

export interface DnsAnswer {
  /** Left unanswered without. */
  readonly ipv4?: readonly string[];
  readonly ipv6?: readonly string[];
  /** How long the server thinks about it. */
  readonly delayMs?: number;
  /** That many queries are lost first. */
  readonly lost?: number;
}

const { listening, dns }: Inhabitants = JSON.parse(process.argv[2] ?? '{}');

for (const { host, port, path } of listening) {
  const server = createServer((outer) => {
    const inner = connect(path);
    for (const [from, to] of [
      [inner, outer],
      [outer, inner],
    ] as const) {
      from.on('error', () => to.destroy()).pipe(to);
      from.on('close', () => to.destroy());
    }
  });
  await once(server.listen({ host, port, ipv6Only: true }), 'listening');
}
if (dns !== undefined) await serveNames(dns);
// The network lasts as long as this process.
setInterval(() => undefined, 1_000_000);
console.log('ready');

/** RFC 1035, as far as a stub resolver asks. */
async function serveNames(answers: Readonly<Record<string, DnsAnswer>>): Promise<void> {
  const lost = new Map<string, number>();
  const socket = createSocket('udp4').bind(53, '127.0.0.53');
  await once(socket, 'listening');
  socket.on('message', (query, { port, address }) => {
    const { name, type, end } = questionIn(query);
    console.log(`${name} ${type === 28 ? 'AAAA' : 'A'}`);
    const known = answers[name];
    const found = type === 28 ? known?.ipv6 : known?.ipv4;
    if (known === undefined || found === undefined) return;
    const key = `${name} ${type}`;
    lost.set(key, (lost.get(key) ?? 0) + 1);
    if ((lost.get(key) ?? 0) <= (known.lost ?? 0)) return;
    const header = Buffer.from(query.subarray(0, 12));
    header.writeUInt16BE(0x8180, 2);
    header.writeUInt16BE(found.length, 6);
    header.fill(0, 8);
    const answer = Buffer.concat([header, query.subarray(12, end), ...found.map(record)]);
    setTimeout(() => socket.send(answer, port, address), known.delayMs ?? 0);
  });
}

function questionIn(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  while (query[at] !== 0) {
    const length = query[at] ?? 0;
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += length + 1;
  }
  return { name: labels.join('.'), type: query.readUInt16BE(at + 1), end: at + 5 };
}

/** The question's name, type A or AAAA, class IN, good for 0 s. */
function record(address: string): Buffer {
  const data = address.includes(':') ? ipv6(address) : Buffer.from(address.split('.').map(Number));
  const head = Buffer.from([
    0xc0,
    12,
    0,
    data.length === 16 ? 28 : 1,
    0,
    1,
    0,
    0,
    0,
    0,
    0,
    data.length,
  ]);
  return Buffer.concat([head, data]);
}

function ipv6(address: string): Buffer {
  const [left = '', right = ''] = address.split('::');
  const groups = (text: string) => text.split(':').filter((group) => group !== '');
  const missing = 8 - groups(left).length - groups(right).length;
  const all = [...groups(left), ...Array<string>(missing).fill('0'), ...groups(right)];
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex');
}
