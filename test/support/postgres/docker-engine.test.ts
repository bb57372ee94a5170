import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type EngineAddress, engineAddresses, findEngine, obtainImage } from './docker-engine.ts';

const image = 'postgres:15-alpine';
const home = '/home/someone';

async function temporarySocketPath(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'pgpassd-engine-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  return join(directory, 'docker.sock');
}

async function engineThat(answer: RequestListener): Promise<{ socketPath: string }> {
  const socketPath = await temporarySocketPath();
  const engine = createServer(answer).listen(socketPath);
  await once(engine, 'listening');
  onTestFinished(() => {
    engine.close();
    engine.closeAllConnections();
  });
  return { socketPath };
}

/** Answers each request by its path; unknown paths with 404, as the engine does. */
function answers(byPath: Record<string, [status: number, body: string]>): RequestListener {
  return (request, response) => {
    const [status, body] = byPath[request.url ?? ''] ?? [404, '{"message":"not found"}'];
    response.writeHead(status).end(body);
  };
}

describe('where an engine may listen', () => {
  const sockets = (env: NodeJS.ProcessEnv) => engineAddresses({ env, home, uid: 1000 });

  test('the well-known sockets, rootful first', () => {
    expect(sockets({})).toEqual([
      { socketPath: '/var/run/docker.sock' },
      { socketPath: '/home/someone/.docker/run/docker.sock' },
      { socketPath: '/home/someone/.docker/desktop/docker.sock' },
      { socketPath: '/run/user/1000/docker.sock' },
    ]);
    expect(sockets({ XDG_RUNTIME_DIR: '/run/x' })[1]).toEqual({ socketPath: '/run/x/docker.sock' });
  });

  test.each<[string, EngineAddress]>([
    ['unix:///run/podman/podman.sock', { socketPath: '/run/podman/podman.sock' }],
    ['tcp://127.0.0.1:2375', { host: '127.0.0.1', port: 2375 }],
    ['tcp://docker', { host: 'docker', port: 2375 }],
  ])('DOCKER_HOST=%s goes before them', (dockerHost, expected) => {
    expect(sockets({ DOCKER_HOST: dockerHost })[0]).toEqual(expected);
  });

  test.each(['', 'nonsense', 'ssh://user@host', 'tcp://', 'npipe:////./pipe/docker_engine'])(
    'DOCKER_HOST=%s adds nothing',
    (dockerHost) => {
      expect(sockets({ DOCKER_HOST: dockerHost })).toEqual(sockets({}));
    },
  );
});

describe('finding an engine', () => {
  test('none where no socket is there', async () => {
    expect(await findEngine([{ socketPath: '/nonexistent/docker.sock' }])).toBeUndefined();
    expect(await findEngine([{ host: 'host.invalid', port: 2375 }])).toBeUndefined();
    expect(await findEngine([])).toBeUndefined();
  });

  test('the first that answers, past those that do not', async () => {
    const broken = await engineThat(answers({ '/_ping': [500, 'broken'] }));
    const engine = await engineThat(answers({ '/_ping': [200, 'OK'] }));
    const other = await engineThat(answers({ '/_ping': [200, 'OK'] }));
    const missing = { socketPath: '/nonexistent/docker.sock' };
    expect(await findEngine([missing, broken, engine, other])).toBe(engine);
  });

  test('an engine behind TCP', async () => {
    const engine = createServer(answers({ '/_ping': [200, 'OK'] })).listen(0, '127.0.0.1');
    await once(engine, 'listening');
    onTestFinished(() => void engine.close());
    const address = { host: '127.0.0.1', port: (engine.address() as AddressInfo).port };
    expect(await findEngine([address])).toBe(address);
  });

  test('one that accepts and stays silent is given up', async () => {
    const silent = await engineThat(() => {});
    expect(await findEngine([silent], 50)).toBeUndefined();
  });

  test('one that does not speak HTTP is none', async () => {
    const socketPath = await temporarySocketPath();
    const stranger = createTcpServer((socket) => socket.end('hello\n')).listen(socketPath);
    await once(stranger, 'listening');
    onTestFinished(() => void stranger.close());
    expect(await findEngine([{ socketPath }])).toBeUndefined();
  });
});

describe('obtaining an image', () => {
  const inspect = `/images/${image}/json`;
  const create = '/images/create?fromImage=postgres&tag=15-alpine';

  test('asks for nothing that is already there', async () => {
    const engine = await engineThat(answers({ [inspect]: [200, '{}'] }));
    await obtainImage(engine, image, 1_000);
  });

  test('pulls what is missing', async () => {
    const images: Record<string, [number, string]> = {};
    const engine = await engineThat((request, response) => {
      if (request.method === 'POST') images[inspect] = [200, '{}'];
      answers({ ...images, [create]: [200, '{"status":"Pulling"}\n'] })(request, response);
    });
    await obtainImage(engine, image, 1_000);
    expect(images).toHaveProperty([inspect]);
  });

  test('tells why a pull failed', async () => {
    const progress = '{"status":"Pulling"}\n{"error":"toomanyrequests"}\n';
    const engine = await engineThat(answers({ [create]: [200, progress] }));
    await expect(obtainImage(engine, image, 1_000)).rejects.toThrow(
      `image ${image} can't be pulled: {"error":"toomanyrequests"}`,
    );
  });

  test('gives up a pull that takes too long', async () => {
    const engine = await engineThat((request, response) => {
      if (request.method === 'POST') response.write('{"status":"Waiting"}\n');
      else answers({})(request, response);
    });
    await expect(obtainImage(engine, image, 50)).rejects.toThrow(/can't be pulled: .*timeout/);
  });
});
