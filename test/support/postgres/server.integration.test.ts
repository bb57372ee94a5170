import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startServer, startTimeoutMs } from './server.ts';

test(
  'some server starts everywhere, says which, and answers',
  async () => {
    const server = await startServer();
    onTestFinished(() => server.stop());
    expect(server.description).toMatch(
      /^(postgres:\S+ in a container|embedded PostgreSQL .*\(.+\))$/,
    );
    expect(await server.sql('select 1 as one')).toEqual([{ one: 1 }]);
  },
  startTimeoutMs,
);

test(
  'an engine that cannot get the image leaves the embedded server, with the reason',
  async () => {
    const directory = await mkdtemp(join(tmpdir(), 'pgpassd-engine-'));
    onTestFinished(() => rm(directory, { recursive: true }));
    const socketPath = join(directory, 'docker.sock');
    const engine = createServer((request, response) => {
      response.writeHead(request.url === '/_ping' ? 200 : 404).end('{"message":"no network"}');
    }).listen(socketPath);
    await once(engine, 'listening');
    onTestFinished(() => void engine.close());

    const server = await startServer({ ...process.env, DOCKER_HOST: `unix://${socketPath}` });
    onTestFinished(() => server.stop());
    expect(server.description).toMatch(/^embedded .*can't be pulled: {"message":"no network"}\)$/);
  },
  startTimeoutMs,
);
