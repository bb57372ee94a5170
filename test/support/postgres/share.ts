import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { makeDataDirectory } from './embedded-server.ts';
import { startServer } from './server.ts';
import { type Shared, shareVariable } from './shared.ts';

/**
 * Shares one PostgreSQL, and one new data directory, among the files of a test run: most of what a server costs
 * is initdb. Neither exists before a file asks for it.
 */
export default async function share(): Promise<(() => Promise<void>) | undefined> {
  // Another project of the same run has done it.
  if (process.env[shareVariable] !== undefined) return undefined;
  await using cleanUp = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'pgpassd-share-'));
  cleanUp.defer(() => rm(directory, { recursive: true }));

  const make: { [What in keyof Shared]: () => Promise<Shared[What]> } = {
    server: async () => {
      const { description, connectTarget, stop } = await startServer();
      cleanUps.defer(stop);
      return { description, connectTarget };
    },
    data: async () => {
      const { path, remove } = await makeDataDirectory();
      cleanUps.defer(remove);
      return path;
    },
  };
  const made = new Map<string, Promise<unknown>>();
  const answer = async (socket: Socket): Promise<void> => {
    socket.on('error', () => {});
    const what = (await text(socket)) as keyof Shared;
    const one = made.get(what) ?? make[what]();
    made.set(what, one);
    const said = await one.then(
      (value) => ({ made: value }),
      (error: unknown) => ({ error: String(error) }),
    );
    socket.end(JSON.stringify(said));
  };
  const service = createServer({ allowHalfOpen: true }, (socket) => void answer(socket));
  const path = join(directory, 'socket');
  await once(service.listen(path), 'listening');
  cleanUp.defer(() => void service.close());
  process.env[shareVariable] = path;
  const cleanUps = cleanUp.move();
  return () => cleanUps.disposeAsync();
}
