import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Answer } from '../../src/observe/http-server.ts';
import { ask, connectRaw, HALF_A_REQUEST, serve, views } from './clients.ts';

/** With how often its only view was asked for, which is also the answer. */
async function serveCounting() {
  let asked = 0;
  const view = async () => ({ status: 200, contentType: 'text/plain', body: `${++asked}\n` });
  return { server: await serve(new Map([['/livez', view]])), asked: () => asked };
}

/** Counts the requests that Node parses from now on. */
function countParsed(): () => number {
  let parsed = 0;
  const count = () => {
    parsed += 1;
  };
  subscribe('http.server.request.start', count);
  onTestFinished(() => void unsubscribe('http.server.request.start', count));
  return () => parsed;
}

const never = new Promise<void>(() => undefined);

describe('what is answered', () => {
  test.each([
    ['GET', '/livez', 200, 'application/json', '{"é":1}\n'],
    ['GET', '/livez?verbose', 200, 'application/json', '{"é":1}\n'],
    ['GET', '/readyz', 503, 'application/json', '{}\n'],
    ['GET', '/', 404, 'text/plain', 'Not Found\n'],
    ['GET', '/livez/', 404, 'text/plain', 'Not Found\n'],
    ['GET', '/LIVEZ', 404, 'text/plain', 'Not Found\n'],
    ['GET', '/%6civez', 404, 'text/plain', 'Not Found\n'],
    ['GET', '/../livez', 404, 'text/plain', 'Not Found\n'],
    ['GET', '/?/livez', 404, 'text/plain', 'Not Found\n'],
    ['POST', '/other', 404, 'text/plain', 'Not Found\n'],
    ['POST', '/livez', 405, 'text/plain', 'Method Not Allowed\n'],
    ['PUT', '/livez', 405, 'text/plain', 'Method Not Allowed\n'],
    ['DELETE', '/readyz', 405, 'text/plain', 'Method Not Allowed\n'],
    ['OPTIONS', '/readyz', 405, 'text/plain', 'Method Not Allowed\n'],
    ['TRACE', '/livez', 405, 'text/plain', 'Method Not Allowed\n'],
  ])('%s %s is answered with %i', async (method, path, status, contentType, body) => {
    const heard = await ask(await serve(), { method, path });
    expect(heard).toMatchObject({ status, body });
    expect(heard.headers).toMatchObject({
      'content-type': contentType,
      'content-length': String(Buffer.byteLength(body)),
      'cache-control': 'no-store',
      connection: 'close',
    });
    expect(heard.headers.allow).toBe(status === 405 ? 'GET, HEAD' : undefined);
  });

  test.each(['/livez', '/readyz', '/'])('HEAD %s is GET without the body', async (path) => {
    const server = await serve();
    const { headers, status, body } = await ask(server, { method: 'HEAD', path });
    const { date: _, ...expected } = (await ask(server, { path })).headers;
    expect(status).toBe((await ask(server, { path })).status);
    expect(headers).toMatchObject(expected);
    expect(body).toBe('');
  });

  test('each question is answered with what is so right then', async () => {
    let asked = 0;
    const count = async () => ({ status: 200, contentType: 'text/plain', body: `${++asked}` });
    const server = await serve(new Map([['/count', count]]));
    expect((await ask(server, { path: '/count' })).body).toBe('1');
    expect((await ask(server, { path: '/count' })).body).toBe('2');
  });

  test.each([
    ['rejects', () => Promise.reject(new Error('the inner workings'))],
    [
      'throws',
      () => {
        throw new Error('the inner workings');
      },
    ],
  ])('a view that %s is answered with 500 and not a word of why', async (_how, view) => {
    const server = await serve(new Map([...views, ['/broken', view]]));
    const { status, body } = await ask(server, { path: '/broken' });
    expect({ status, body }).toEqual({ status: 500, body: 'Internal Server Error\n' });
    expect((await ask(server)).status).toBe(200);
  });
});

describe('odd requests', () => {
  test.each([
    ['no HTTP at all', 'SSH-2.0-OpenSSH_9.6\r\n', /^HTTP\/1\.1 400 /],
    ['a TLS handshake', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', /^HTTP\/1\.1 400 /],
    ['no Host', 'GET /livez HTTP/1.1\r\n\r\n', /^HTTP\/1\.1 400 /],
    [
      'two lengths',
      `POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n`,
      /^HTTP\/1\.1 400 /,
    ],
    ['a header of 9 KiB', `${HALF_A_REQUEST}X: ${'x'.repeat(9_216)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
    ['a path of 9 KiB', `GET /${'x'.repeat(9_216)} HTTP/1.1\r\n`, /^HTTP\/1\.1 431 /],
    ['HTTP/1.0', 'GET /livez HTTP/1.0\r\n\r\n', /^HTTP\/1\.1 200 /],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', /^HTTP\/1\.1 400 /],
    [
      'a wish for another protocol',
      `${HALF_A_REQUEST}Connection: upgrade\r\nUpgrade: websocket\r\n\r\n`,
      /^HTTP\/1\.1 200 /,
    ],
    ['a wish for a tunnel', 'CONNECT pod:5432 HTTP/1.1\r\nHost: pod\r\n\r\n', /^$/],
    ['an unknown expectation', `${HALF_A_REQUEST}Expect: tea\r\n\r\n`, /^HTTP\/1\.1 200 /],
    ['a body that never comes', `${HALF_A_REQUEST}Content-Length: 5\r\n\r\n`, /^HTTP\/1\.1 200 /],
    [
      'an offer of a body',
      'POST /livez HTTP/1.1\r\nHost: pod\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n',
      /^HTTP\/1\.1 405 /,
    ],
  ])('%s gets its answer and a closed connection', async (_what, said, expected) => {
    const server = await serve();
    const { heard } = await connectRaw(server, said);
    expect(await heard).toMatch(expected);
    expect((await ask(server)).status).toBe(200);
  });

  test.each([
    ['HTTP/1.1', `${HALF_A_REQUEST}\r\n`],
    ['HTTP/1.0', 'GET /livez HTTP/1.0\r\nConnection: keep-alive\r\n\r\n'],
  ])('of pipelined requests (%s) the first is answered', async (_version, request) => {
    const { server, asked } = await serveCounting();
    const { heard } = await connectRaw(server, request.repeat(100));
    expect((await heard).split('\r\n\r\n')).toEqual([expect.any(String), '1\n']);
    expect(asked()).toBe(1);
  });

  const get = `${HALF_A_REQUEST}\r\n`;
  test.each([
    ['as the body of the first', `${HALF_A_REQUEST}Content-Length: ${100 * get.length}\r\n\r\n`],
    [
      'after the chunks of the first',
      `${HALF_A_REQUEST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    [
      'after an offer of another protocol',
      `${HALF_A_REQUEST}Upgrade: h2c\r\nConnection: upgrade\r\n\r\n`,
    ],
    ['after blank lines', '\r\n'.repeat(100)],
  ])('requests that come %s are not parsed', async (_when, first) => {
    const parsed = countParsed();
    const { server, asked } = await serveCounting();
    const { heard } = await connectRaw(server, first + get.repeat(100));
    expect(await heard).toMatch(/^HTTP\/1\.1 200 /);
    expect(asked()).toBe(1);
    expect(parsed()).toBe(1);
  });

  test.each([
    ['LF alone', 'GET /livez HTTP/1.1\nHost: pod\n\n'],
    ['no version', 'GET /livez\r\n'],
    ['no Host', 'GET /livez HTTP/1.1\r\n\r\n'],
  ])('of a hundred requests with %s one is refused', async (_what, request) => {
    const parsed = countParsed();
    const { server, asked } = await serveCounting();
    const { heard } = await connectRaw(server, request.repeat(100));
    expect((await heard).match(/^HTTP\/1\.1 /gm)).toHaveLength(1);
    expect(asked()).toBe(0);
    expect(parsed()).toBeLessThanOrEqual(1);
  });

  test('a client that has no more to say gets its answer, also when that takes time', async () => {
    const view = async () => {
      await setImmediate();
      return { status: 200, contentType: 'text/plain', body: 'at last\n' };
    };
    const server = await serve(new Map([['/livez', view]]));
    const { socket, heard } = await connectRaw(server, '');
    socket.end(get);
    expect(await heard).toMatch(/^HTTP\/1\.1 200 /);
  });

  test.each([
    ['nothing', '', /^$/],
    ['half a request', HALF_A_REQUEST, /^HTTP\/1\.1 400 /],
  ])(
    'a client that has said %s and has no more to say is cut off',
    async (_what, said, expected) => {
      const { socket, heard } = await connectRaw(await serve(), '');
      socket.end(said);
      expect(await heard).toMatch(expected);
    },
  );

  test.each([
    [
      'a request in thousands of headers',
      `${HALF_A_REQUEST}${'a:\r\n'.repeat(10_000)}\r\n`,
      /^(HTTP\/1\.1 431 .*)?$/s,
    ],
    ['thousands of blank lines', '\r\n'.repeat(10_000), /^$/],
  ])('%s is not read to its end', async (_what, said, expected) => {
    const server = await serve(views, 600_000);
    // It may be cut off before it has read why.
    expect(await (await connectRaw(server, said)).heard).toMatch(expected);
  });
});

const pieces = fc.array(
  fc.constantFrom(
    ...['GET ', 'POST ', 'CONNECT ', '/livez', '/', '*', ' HTTP/1.1', ' HTTP/1.0', ' HTTP/2.0'],
    ...['\r\n', '\n', '\r', '\r\n\r\n', 'Host: pod', 'Host:', ' ', '\t', 'x', '\0', '5'],
    ...['Content-Length: 5', 'Transfer-Encoding: chunked', 'Expect: 100-continue'],
    ...['Connection: keep-alive', 'Connection: upgrade', 'Upgrade: h2c', `${HALF_A_REQUEST}\r\n`],
  ),
  { maxLength: 30 },
);

test('whatever a client sends, one request of it is parsed at most, and answered once', async () => {
  const server = await serve();
  const parsed = countParsed();
  await fc.assert(
    fc.asyncProperty(pieces, pieces, async (first, second) => {
      const before = parsed();
      const { socket, heard } = await connectRaw(server, first.join(''));
      await setImmediate();
      socket.end(second.join(''));
      expect((await heard).match(/HTTP\/1\.1 /g)?.length ?? 0).toBeLessThanOrEqual(1);
      expect(parsed() - before).toBeLessThanOrEqual(1);
    }),
    { numRuns: 300 },
  );
  expect((await ask(server)).status).toBe(200);
});

describe('close', () => {
  test('lets a request that has half arrived be answered, and takes no new one', async () => {
    const server = await serve();
    const slow = await connectRaw(server, HALF_A_REQUEST);
    await ask(server);
    const closed = server.close(never);
    const refused = connect(server.port, '127.0.0.1');
    expect(await once(refused, 'connect').catch(({ code }) => code)).toBe('ECONNREFUSED');
    slow.socket.write('\r\n');
    expect(await slow.heard).toMatch(/^HTTP\/1\.1 200 /);
    await closed;
  });

  test('lets an answer that takes time be given', async () => {
    const asked = Promise.withResolvers<void>();
    const found = Promise.withResolvers<Answer>();
    const view = () => {
      asked.resolve();
      return found.promise;
    };
    const server = await serve(new Map([['/readyz', view]]));
    const heard = ask(server, { path: '/readyz' });
    await asked.promise;
    const closed = server.close(never);
    found.resolve({ status: 200, contentType: 'text/plain', body: 'at last\n' });
    expect(await heard).toMatchObject({ status: 200, body: 'at last\n' });
    await closed;
  });

  test('cuts off what is not done when patience ends', async () => {
    const stuck = () => new Promise<Answer>(() => undefined);
    const server = await serve(new Map([...views, ['/stuck', stuck]]), 600_000);
    const clients = [
      await connectRaw(server, ''),
      await connectRaw(server, HALF_A_REQUEST),
      await connectRaw(server, 'GET /stuck HTTP/1.0\r\n\r\n'),
    ];
    await ask(server);
    const patience = Promise.withResolvers<void>();
    const closed = server.close(patience.promise);
    patience.resolve();
    await closed;
    expect(await Promise.all(clients.map(({ heard }) => heard))).toEqual(['', '', '']);
  });
});
