import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

export interface RollCall {
  /** A script for `node -e` that runs `work`, reports by `name`, and stays until it is killed. */
  attend(name: string, work?: string): string;
  /** Settles as soon as the process of this name attends. */
  present(name: string): Promise<Attendant>;
}

interface Attendant {
  readonly pid: number;
  /** Settles when the process is gone: the kernel closes its connection. */
  readonly gone: Promise<unknown>;
}

/** Where processes that a command starts, at whatever depth, report that they run, and that they died. */
export async function openRollCall(): Promise<RollCall> {
  const directory = await mkdtemp(join(tmpdir(), 'pgpassd-roll-call-'));
  const path = join(directory, 'socket');
  const attendants = new Map<string, PromiseWithResolvers<Attendant>>();
  const sockets = new Set<Socket>();
  const attendant = (name: string) => {
    const entry = attendants.get(name) ?? Promise.withResolvers<Attendant>();
    attendants.set(name, entry);
    return entry;
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    const gone = new Promise((resolve) => socket.once('close', resolve));
    // A killed process may reset its connection instead of ending it.
    socket.on('error', () => undefined);
    socket.once('data', (report) => {
      const { name, pid } = JSON.parse(report.toString()) as { name: string; pid: number };
      attendant(name).resolve({ pid, gone });
    });
  });
  server.listen(path);
  await once(server, 'listening');
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await rm(directory, { recursive: true });
  });
  return {
    attend: (name, work = '') => `
      ${work};
      const report = JSON.stringify({ name: ${JSON.stringify(name)}, pid: process.pid });
      require('node:net').connect(${JSON.stringify(path)}).on('close', () => process.exit()).write(report);
    `,
    present: (name) => attendant(name).promise,
  };
}
