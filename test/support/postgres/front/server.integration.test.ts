import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { Client, type ClientConfig } from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type CertificateAuthority, createCa, type ServerCertificate } from '../certificates.ts';
import { addRoles, type Server, sharedServer, startTimeoutMs } from '../server.ts';
import { type Judge, passwordJudge } from './judge.ts';
import { type Front, startFront } from './server.ts';
import { cancelRequest, gssencRequest, sslRequest, startupMessage } from './wire.ts';

let server: Server;
let ca: CertificateAuthority;
let certificate: ServerCertificate;

beforeAll(async () => {
  server = await sharedServer();
  await addRoles(server, ['app']);
  ca = await createCa();
  certificate = await ca.issue({ hosts: ['localhost', '127.0.0.1'] });
}, startTimeoutMs);

afterAll(() => server?.stop());

async function openFront(
  judge: Judge = passwordJudge(new Map([['app', 'right']])),
): Promise<Front> {
  const front = await startFront({ server: server.connectTarget, certificate, judge });
  onTestFinished(() => front.close());
  return front;
}

function clientOf({ host, port }: Front, change: ClientConfig = {}): Client {
  const ssl = { ca: ca.certPem };
  const login = { user: 'app', database: 'postgres', password: 'right' };
  const client = new Client({ host, port, ssl, ...login, ...change });
  client.on('error', () => {});
  return client;
}

async function dial({ host, port }: Front): Promise<Socket> {
  const socket = connect({ host, port });
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

async function overTls(socket: Socket, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const tls = connectTls({ socket, host: 'localhost', ca: ca.certPem, ...options });
  await once(tls, 'secureConnect');
  return tls;
}

async function answer(socket: Socket): Promise<string> {
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  return bytes.toString();
}

/** Starts a query that would not end, and resolves when the server is in it. */
async function occupy(client: Client): Promise<{ ended: Promise<unknown> }> {
  const running = once(client, 'notice');
  const ended = client.query("do $$ begin raise notice 'running'; perform pg_sleep(600); end $$");
  ended.catch(() => {});
  await running;
  return { ended };
}

function keyOf(client: Client): [processId: number, secretKey: number] {
  const { processID, secretKey } = client as Client & { processID: number; secretKey: number };
  return [processID, secretKey];
}

describe('a login', () => {
  test('relays to the server behind, in both directions and at length', async () => {
    const client = clientOf(await openFront());
    await client.connect();
    const long = 'x'.repeat(3_000_000);
    const { rows } = await client.query('select $1::text as echo, current_user as role', [long]);
    expect(rows).toEqual([{ echo: long, role: 'app' }]);
    await client.end();
  });

  test('is recorded, good or bad, in order', async () => {
    const front = await openFront();
    const wrong = clientOf(front, { password: 'wrong' });
    await expect(wrong.connect()).rejects.toMatchObject({ code: '28P01', severity: 'FATAL' });
    const right = clientOf(front);
    const [login] = await Promise.all([front.nextLogin(), right.connect()]);
    await right.end();
    expect(front.logins).toEqual([
      expect.objectContaining({ user: 'app', ok: false, reason: expect.stringContaining('app') }),
      login,
    ]);
    expect(login).toMatchObject({ user: 'app', database: 'postgres', ok: true });
  });

  test('without TLS is refused', async () => {
    const client = clientOf(await openFront(), { ssl: false });
    await expect(client.connect()).rejects.toMatchObject({
      code: '28000',
      message: expect.stringMatching(/^no pg_hba.conf entry for host "127.0.0.1", user "app"/),
    });
  });

  test('whose judge fails says so instead of hanging', async () => {
    const front = await openFront(() => Promise.reject(new Error('out of order')));
    await expect(clientOf(front).connect()).rejects.toThrow(
      'the front failed: Error: out of order',
    );
  });
});

describe('negotiation', () => {
  test('GSS encryption is declined, and TLS still to be had', async () => {
    const socket = await dial(await openFront());
    socket.write(gssencRequest());
    expect(await answer(socket)).toBe('N');
    socket.write(sslRequest());
    expect(await answer(socket)).toBe('S');
    await overTls(socket);
  });

  test('TLS without SSLRequest is accepted with its ALPN', async () => {
    const tls = await overTls(await dial(await openFront()), { ALPNProtocols: ['postgresql'] });
    tls.write(startupMessage({ user: 'app' }));
    expect(await answer(tls)).toBe('R\0\0\0\x08\0\0\0\x03');
  });

  test('TLS without SSLRequest and without ALPN is refused', async () => {
    const tls = await overTls(await dial(await openFront()));
    tls.write(startupMessage({ user: 'app' }));
    expect(await text(tls)).toContain('direct SSL connection request without ALPN');
  });

  test.each([
    ['something else than PostgreSQL', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'invalid length'],
    [
      'plain text after SSLRequest',
      Buffer.concat([sslRequest(), sslRequest()]),
      'unencrypted data',
    ],
  ])('%s is refused in words', async (_, bytes, message) => {
    const socket = await dial(await openFront());
    socket.write(bytes);
    expect(await text(socket)).toContain(message);
  });
});

describe('a cancel request', () => {
  test.each(['plain', 'TLS'])('reaches the server: %s', async (transport) => {
    const front = await openFront();
    const client = clientOf(front);
    await client.connect();
    const { ended } = await occupy(client);

    let socket = await dial(front);
    if (transport === 'TLS') {
      socket.write(sslRequest());
      expect(await answer(socket)).toBe('S');
      socket = await overTls(socket);
    }
    socket.write(cancelRequest(...keyOf(client)));
    expect(await buffer(socket)).toHaveLength(0);
    await expect(ended).rejects.toMatchObject({ code: '57014' });
    await client.end();
  });
});

describe('connections that break', () => {
  test.each([
    ['before the first byte', async () => {}],
    ['in the middle of a packet', async (socket: Socket) => void socket.write('\0\0\0')],
    [
      'in the middle of the TLS handshake',
      async (socket: Socket) => {
        socket.write(sslRequest());
        await answer(socket);
        socket.write('\x16\x03\x01');
      },
    ],
    [
      'where the password is due',
      async (socket: Socket) => {
        socket.write(sslRequest());
        await answer(socket);
        const tls = await overTls(socket);
        tls.on('error', () => {});
        tls.write(startupMessage({ user: 'app' }));
        await answer(tls);
      },
    ],
  ])('%s do no harm', async (_, proceed) => {
    const front = await openFront();
    const socket = await dial(front);
    await proceed(socket);
    socket.resetAndDestroy();
    const client = clientOf(front);
    await client.connect();
    await client.end();
    expect(front.logins).toHaveLength(1);
  });

  test('a client that goes away in the middle of a query takes its session along', async () => {
    const front = await openFront();
    const watcher = clientOf(front);
    await watcher.connect();
    const client = clientOf(front);
    await client.connect();
    // Not granted before the other session, which holds the lock, has ended.
    await client.query('select pg_advisory_lock(1)');
    const granted = watcher.query('select pg_advisory_lock(1)');
    (client as Client & { connection: { stream: Socket } }).connection.stream.destroy();
    await granted;
    await watcher.end();
  });

  test('closing ends every session, idle or half open, and can be done again', async () => {
    const front = await openFront();
    const client = clientOf(front);
    await client.connect();
    const halfOpen = await dial(front);
    const ended = new Promise<void>((resolve) => client.once('end', resolve));
    const closed = once(halfOpen, 'close');
    await front.close();
    await Promise.all([ended, closed]);
    await front.close();
    await expect(clientOf(front).connect()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});
