import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished as globalOnTestFinished } from 'vitest';
import type { OnTestFinished } from './clean-up.ts';
import type { Inhabitants } from './network-inhabitants.ts';

export interface NetworkOptions {
  /** Takes connections at once. */
  readonly near?: readonly string[];
  /** Takes a connection when its SYN comes for the second time, a second after the first. */
  readonly far?: readonly string[];
  /** Whatever is sent there is lost. */
  readonly lost?: readonly string[];
  /** Drops each ClientHello that does not fit into a packet of Ethernet, as some middleboxes do. */
  readonly dropsLargeHellos?: boolean;
  /** Where each port of `near` and `far` leads to: a port of our own loopback. */
  readonly ports: Readonly<Record<number, number>>;
  /** What /etc/hosts says. */
  readonly hosts?: string;
  /** What a DNS server says, instead of /etc/hosts; what it does not know, it does not answer. */
  readonly dns?: Inhabitants['dns'];
  /** Lines of /etc/resolv.conf below the server's. */
  readonly resolver?: string;
  /** The test's own hook: a concurrent test has to hand in that of its context. */
  readonly onTestFinished?: OnTestFinished;
}

export interface Network {
  /** A command line that makes the program appended to it run in the network. */
  readonly under: readonly string[];
  /** The names that the DNS server was asked for, each with its type, oldest first. */
  readonly asked: readonly string[];
}

const asRoot = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
const unshare = ['unshare', '--net', '--mount', ...asRoot];
const inhabitants = fileURLToPath(new URL('network-inhabitants.ts', import.meta.url));

/** Whether a network of our own can be made here: it takes unshare, nsenter, ip and nft. */
export function canMakeNetworks(): boolean {
  const [program = '', ...args] = unshare;
  const probe =
    'ip link set lo up && ip -6 addr add 2001:db8::1/128 dev lo nodad && nft add table inet probe && mount --bind /etc/hosts /etc/hosts && nsenter --version';
  return spawnSync(program, [...args, 'sh', '-c', probe]).status === 0;
}

/** A network namespace with nothing in it but what is said; it goes with the test. */
export async function openNetwork(options: NetworkOptions): Promise<Network> {
  const { near = [], far = [], lost = [], ports, hosts = '', dns, resolver = '' } = options;
  const { dropsLargeHellos = false, onTestFinished = globalOnTestFinished } = options;
  const directory = await mkdtemp(join(tmpdir(), 'pgpassd-network-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const put = async (name: string, content: string) => {
    const path = join(directory, name);
    await writeFile(path, content);
    return path;
  };
  const bind = async (name: string, content: string) =>
    `mount --bind ${await put(name, content)} /etc/${name}`;

  const listening = [...near, ...far].flatMap((host) =>
    Object.keys(ports).map((port) => ({ host, port: Number(port), path: join(directory, port) })),
  );
  for (const [port, own] of Object.entries(ports))
    await relay(join(directory, port), own, onTestFinished);
  const commands = [
    'ip link set lo up',
    ...[...near, ...far, ...lost].map(
      (address) => `ip addr add ${address}/${bitsOf(address)} dev lo ${nodad(address)}`,
    ),
    `nft -f ${await put('rules', rulesFor(far, lost, dropsLargeHellos))}`,
    await bind('hosts', hosts),
    await bind('nsswitch.conf', `hosts: ${dns === undefined ? 'files' : 'dns'}\n`),
    await bind('resolv.conf', `nameserver 127.0.0.53\n${resolver}\n`),
    'exec "$0" "$@"',
  ];
  const given: Inhabitants = { listening, ...(dns !== undefined && { dns }) };
  const [program = '', ...args] = unshare;
  const child = spawn(
    program,
    [
      ...args,
      'sh',
      '-ec',
      commands.join('\n'),
      process.execPath,
      inhabitants,
      JSON.stringify(given),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const gone = once(child, 'close');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await gone;
  });
  const asked: string[] = [];
  const lines = createInterface({ input: child.stdout });
  await Promise.race([
    once(lines, 'line'),
    gone.then(() => {
      throw new Error('no network could be made');
    }),
  ]);
  lines.on('line', (line) => asked.push(line));
  const join_ = asRoot.length === 0 ? [] : ['--user', '--preserve-credentials'];
  return {
    under: ['nsenter', `--target=${child.pid}`, '--net', '--mount', ...join_],
    asked,
  };
}

/** A socket is all that reaches from one network to the other. */
async function relay(path: string, port: number, onTestFinished: OnTestFinished): Promise<void> {
  const server = createServer((inner) => {
    const outer = connect(port, '127.0.0.1');
    for (const [from, to] of [
      [inner, outer],
      [outer, inner],
    ] as const) {
      from.on('error', () => to.destroy()).pipe(to);
      from.on('close', () => to.destroy());
    }
  });
  await once(server.listen(path), 'listening');
  onTestFinished(async () => void server.close());
}

const isV6 = (address: string): boolean => address.includes(':');
const bitsOf = (address: string): number => (isV6(address) ? 128 : 32);
const nodad = (address: string): string => (isV6(address) ? 'nodad' : '');
const to = (address: string): string => `${isV6(address) ? 'ip6' : 'ip'} daddr ${address}`;

function rulesFor(
  far: readonly string[],
  lost: readonly string[],
  dropsLargeHellos: boolean,
): string {
  const isNewSyn = 'tcp flags & (syn | ack) == syn tcp sport != @seen';
  return `table inet pgpassd {
    set seen { type inet_service; flags dynamic, timeout; timeout 1m; }
    chain input {
      type filter hook input priority 0;
      ${dropsLargeHellos ? 'tcp dport 443 meta length > 1500 @ih,0,8 0x16 drop' : ''}
      ${lost.map((address) => `${to(address)} drop`).join('\n')}
      ${far.map((address) => `${to(address)} ${isNewSyn} add @seen { tcp sport } drop`).join('\n')}
    }
  }\n`;
}
