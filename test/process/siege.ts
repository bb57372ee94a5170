import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import type { Pgpassd } from '../support/pgpassd-process.ts';

/** Most of it is V8's, which collects its garbage when there is no hurry. */
export const MOST_GROWTH_MIB = 256;

/** Until the test has finished, `count` clients each say this on a new connection whenever their last one was closed. */
export function besiege(port: number, count: number, said: string): void {
  const sockets = new Set<Socket>();
  let over = false;
  const come = () => {
    const socket = connect(port, '127.0.0.1');
    sockets.add(socket);
    socket.write(said);
    socket
      .resume()
      // A reset is one of the ways to be cut off.
      .on('error', () => undefined)
      .on('close', () => {
        sockets.delete(socket);
        if (!over) come();
      });
  };
  for (let client = 0; client < count; client += 1) come();
  onTestFinished(() => {
    over = true;
    for (const socket of sockets) socket.destroy();
  });
}

/** The most memory that the process ever had resident. */
export async function peakMiB({ pid }: Pgpassd): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}
