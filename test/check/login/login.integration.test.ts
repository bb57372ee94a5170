import type { Socket } from 'node:net';
import { createSecureContext, TLSSocket, type TLSSocketOptions } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { LoginTarget } from '../../../src/check/login/target.ts';
import { startFullPort } from '../../support/full-port.ts';
import { createCa, type ServerCertificate } from '../../support/postgres/certificates.ts';
import type { Judge } from '../../support/postgres/front/judge.ts';
import { startFront } from '../../support/postgres/front/server.ts';
import { fileWith, makeFifo } from '../../support/temporary-file.ts';
import { manualClock } from '../../support-units/manual-clock.ts';
import { issueToken, loginTo, startPeer } from './parts.ts';

const NAME = 'my-server.postgres.database.azure.test';

function serverAt(port: number, change: Partial<LoginTarget> = {}): LoginTarget {
  return {
    host: NAME,
    hostaddr: '127.0.0.1',
    port,
    database: 'app',
    user: 'legacy-app',
    sslmode: 'verify-full',
    rootCertPath: undefined,
    connectTimeoutMs: undefined,
    ...change,
  };
}

/** A server that says what `judge` does; none ever gets past it. */
async function startJudge(judge: Judge, change: { expired?: boolean } = {}): Promise<LoginTarget> {
  const ca = await createCa();
  const certificate: ServerCertificate = await ca.issue({ hosts: [NAME], ...change });
  const front = await startFront({ server: { path: '/nowhere' }, certificate, judge });
  onTestFinished(() => front.close());
  return serverAt(front.port, { rootCertPath: await fileWith(ca.certPem) });
}

const token = await issueToken();

/** An authentication request: https://www.postgresql.org/docs/current/protocol-message-formats.html */
function authentication(type: number, content = ''): Buffer {
  const body = Buffer.from(content);
  const header = Buffer.from('R\0\0\0\0\0\0\0\0');
  header.writeUInt32BE(8 + body.length, 1);
  header.writeUInt32BE(type, 5);
  return Buffer.concat([header, body]);
}

const gssapi = authentication(7);
const scram = authentication(10, 'SCRAM-SHA-256\0\0');

describe('a login without a connection', () => {
  test('reports a closed port', async () => {
    // The lowest port: nothing has been there since TCPMUX.
    expect(await loginTo(serverAt(1), token)).toMatchObject({
      mark: 'wrong',
      code: 'server.unreachable',
      cause: 'server-refuses-connections',
      found: `${NAME}:1 refuses connections at 127.0.0.1`,
    });
  });

  test('tries one address of a name after the other', async () => {
    const { port, left } = await startPeer((socket) => socket.destroy());
    const lookUp = async () => ['127.0.0.2', '127.0.0.3', '127.0.0.1', '127.0.0.4'];
    const target = serverAt(port, { hostaddr: undefined });
    expect(await loginTo(target, token, { lookUp })).toMatchObject({ cause: 'server-cut-off' });
    await left;
  });

  test('leaves time to the other addresses of a name when the first is silent', async () => {
    const port = await startFullPort();
    const { left } = await startPeer((socket) => socket.destroy(), { host: '127.0.0.2', port });
    const lookUp = async () => ['127.0.0.1', '127.0.0.2'];
    const target = serverAt(port, { hostaddr: undefined });
    expect(await loginTo(target, token, { lookUp, timeoutMs: 12_000 })).toMatchObject({
      cause: 'server-cut-off',
    });
    await left;
  });

  test('reports the last address of a name when none takes the connection', async () => {
    const lookUp = async () => ['127.0.0.1', '127.0.0.2'];
    expect(await loginTo(serverAt(1, { hostaddr: undefined }), token, { lookUp })).toMatchObject({
      found: expect.stringMatching(/refuses connections at 127\.0\.0\.2$/),
    });
  });

  test('does not wait for a resolver that does not answer', async () => {
    const clock = manualClock({ wallMs: 0, monotonicMs: 0 });
    const lookUp = () => {
      clock.elapse();
      return new Promise<never>(() => undefined);
    };
    const target = serverAt(5432, { hostaddr: undefined });
    expect(await loginTo(target, token, { clock, lookUp, timeoutMs: 4000 })).toMatchObject({
      cause: 'server-name',
      found: `${NAME} does not resolve to an address (no answer within 4 s)`,
    });
  });

  test('reports a unix socket that is not there', async () => {
    const target = serverAt(5432, { host: '/no/such/directory', hostaddr: undefined });
    expect(await loginTo(target, token)).toMatchObject({ cause: 'server-refuses-connections' });
  });

  test('reports a name that does not resolve', async () => {
    const target = serverAt(5432, { host: 'no-such-server.invalid', hostaddr: undefined });
    expect(await loginTo(target, token)).toMatchObject({
      code: 'server.unreachable',
      cause: 'server-name',
      found: expect.stringMatching(
        /^no-such-server\.invalid does not resolve to an address \((?:ENOTFOUND|EAI_AGAIN)\)$/,
      ),
    });
  });
});

describe('a login to a peer', () => {
  const silent: [string, (socket: Socket) => void] = ['says nothing', () => undefined];
  const halfway: [string, (socket: Socket) => void] = [
    'promises TLS and says no more',
    (socket) => socket.once('data', () => socket.write('S')),
  ];

  test.each([silent, halfway])(
    'that %s ends at the deadline, and so does its socket',
    async (_case, treat) => {
      const taken = Promise.withResolvers<void>();
      const { port, left } = await startPeer((socket) => {
        socket.once('data', () => taken.resolve());
        treat(socket);
      });
      const clock = manualClock({ wallMs: 0, monotonicMs: 0 });
      const finding = loginTo(serverAt(port), token, { clock, timeoutMs: 7000 });
      await taken.promise;
      clock.elapse();
      expect(await finding).toMatchObject({
        code: 'server.unreachable',
        cause: 'server-silent',
        found: `${NAME}:${port} accepts connections at 127.0.0.1, but did not answer within 7 s`,
      });
      await left;
    },
  );

  test('ends with the patience that PGCONNECT_TIMEOUT gives a client', async () => {
    const { port } = await startPeer(() => undefined);
    const clock = manualClock({ wallMs: 0, monotonicMs: 0 });
    const stop = new AbortController();
    const target = serverAt(port, { connectTimeoutMs: 3000 });
    const finding = loginTo(target, token, { clock, timeoutMs: 7000, signal: stop.signal });
    while (clock.sleptMs.length === 0) await new Promise(setImmediate);
    expect(clock.sleptMs).toEqual([3000]);
    stop.abort();
    expect(await finding).toMatchObject({ mark: 'skipped' });
  });

  test.each<[string, string, (socket: Socket) => void]>([
    ['has no TLS', 'server-without-tls', (socket) => socket.write('N')],
    [
      'speaks HTTP',
      'server-not-postgresql',
      (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
    ],
    ['hangs up', 'server-cut-off', (socket) => socket.end()],
    ['resets the connection', 'server-cut-off', (socket) => socket.resetAndDestroy()],
    ['hangs up in the handshake', 'server-cut-off', (socket) => socket.end('S')],
    [
      'answers the handshake with something else',
      'server-tls-failed',
      (socket) => {
        socket.write('S');
        socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
      },
    ],
  ])('that %s is reported as such', async (_case, cause, treat) => {
    const { port, left } = await startPeer((socket) => socket.once('data', () => treat(socket)));
    expect(await loginTo(serverAt(port), token)).toMatchObject({ mark: 'wrong', cause });
    await left;
  });

  test.each([
    ['wants GSSAPI', gssapi, 'server-auth-method', /\(type 7\)$/],
    [
      'wants another SASL mechanism',
      authentication(10, 'OTHER\0\0'),
      'server-auth-method',
      /\(type 10\)$/,
    ],
    ['proves nothing', Buffer.concat([scram, authentication(11, 'v=')]), 'server-failed', /SCRAM/],
    ['talks nonsense', Buffer.from('~\0\0\0\x04'), 'server-not-postgresql', /./],
    ['speaks HTTP', Buffer.from('HTTP/1.1 400 Bad Request\r\n'), 'server-not-postgresql', /./],
    ['sends a message without a length', Buffer.from('Z\0\0\0\0'), 'server-not-postgresql', /./],
    ['cuts an error', Buffer.from('E\0\0\0\x06SX'), 'server-not-postgresql', /./],
  ])('on this machine that %s does no harm', async (_case, answer, cause, found) => {
    const { port, left } = await startPeer((socket) => {
      socket.once('data', () => socket.write(answer));
    });
    const target = serverAt(port, { host: '127.0.0.1', sslmode: 'disable' });
    expect(await loginTo(target, token)).toMatchObject({
      cause,
      found: expect.stringMatching(found),
    });
    await left;
  });
});

/** A server whose TLS works and that treats what comes through it as told. */
async function startTlsPeer(treat: (tls: TLSSocket) => void): Promise<{
  readonly target: LoginTarget;
  /** The name in the handshake. */
  readonly serverName: Promise<string>;
}> {
  const ca = await createCa();
  const { certPem: cert, keyPem: key } = await ca.issue({ hosts: [NAME] });
  const secureContext = createSecureContext({ cert, key });
  const named = Promise.withResolvers<string>();
  const { port } = await startPeer((socket) => {
    socket.once('data', () => {
      socket.write('S');
      const SNICallback: TLSSocketOptions['SNICallback'] = (name, use) => {
        named.resolve(name);
        use(null, secureContext);
      };
      const tls = new TLSSocket(socket, { isServer: true, secureContext, SNICallback });
      tls.on('error', () => undefined);
      tls.once('data', () => treat(tls));
    });
  });
  const rootCertPath = await fileWith(ca.certPem);
  return { target: serverAt(port, { rootCertPath }), serverName: named.promise };
}

describe('a login to a server with TLS', () => {
  test('names the server in the handshake, though it connects to an address', async () => {
    const { target, serverName } = await startTlsPeer((tls) => tls.destroy());
    const finding = await loginTo(target, token);
    expect(await serverName).toBe(NAME);
    expect(finding).toMatchObject({
      cause: 'server-cut-off',
      found: `${NAME}:${target.port} closed the connection during the login`,
    });
  });

  test('that requires an unknown authentication method is reported', async () => {
    const { target } = await startTlsPeer((tls) => tls.write(gssapi));
    expect(await loginTo(target, token)).toMatchObject({ cause: 'server-auth-method' });
  });

  test('ends the session properly, even if the server does not', async () => {
    const said = Promise.withResolvers<string>();
    const { target } = await startTlsPeer((tls) => {
      tls.once('data', (bytes: Buffer) => {
        said.resolve(bytes.toString());
        tls.write('~\0\0\0\x04');
        tls.destroy();
      });
      tls.write('R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I');
    });
    expect(await loginTo(target, token)).toMatchObject({
      mark: 'ok',
      found: expect.stringContaining('PostgreSQL of an unknown version, TLSv1.3'),
    });
    expect(await said.promise).toBe('X\0\0\0\x04');
  });

  test('understands messages that arrive in pieces', async () => {
    const { target } = await startTlsPeer((tls) => {
      tls.setNoDelay();
      const answer = 'R\0\0\0\x08\0\0\0\0S\0\0\0\x18server_version\x0017.2\0Z\0\0\0\x05I';
      for (const byte of Buffer.from(answer)) tls.write(Buffer.of(byte));
    });
    expect(await loginTo(target, token)).toMatchObject({
      found: expect.stringContaining('PostgreSQL 17.2, TLSv1.3'),
    });
  });

  const never: Judge = () => {
    throw new Error('not reached');
  };

  test('reports a certificate that has expired', async () => {
    expect(await loginTo(await startJudge(never, { expired: true }), token)).toMatchObject({
      cause: 'server-certificate-dates',
      found: expect.stringMatching(/presents a certificate that has expired$/),
    });
  });

  test('reports a CA that PGSSLROOTCERT does not name', async () => {
    const rootCertPath = await fileWith((await createCa()).certPem);
    const target = { ...(await startJudge(never)), rootCertPath };
    expect(await loginTo(target, token)).toMatchObject({
      code: 'server.refused',
      cause: 'server-untrusted',
      found: expect.stringContaining(`no CA in ${rootCertPath} signed`),
    });
  });

  test.each([
    [
      'missing',
      async () => '/no/such/root.crt',
      /^the CA file \/no\/such\/root\.crt cannot be read \(ENOENT\)$/,
    ],
    ['empty', () => fileWith(''), /is empty$/],
    ['a FIFO', makeFifo, /is not a regular file$/],
    [
      'damaged',
      () => fileWith('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'),
      /holds a damaged certificate$/,
    ],
  ])('reports a PGSSLROOTCERT that is %s', async (_case, make, found) => {
    const target = serverAt(5432, { rootCertPath: await make() });
    expect(await loginTo(target, token)).toMatchObject({
      code: 'server.refused',
      cause: 'root-cert',
      found: expect.stringMatching(found),
    });
  });

  test.each([
    [
      '28000',
      'no pg_hba.conf entry for host "10.1.2.3", user "a", database "b", SSL encryption',
      'server-refuses-address',
    ],
    ['57P03', 'the database system is starting up', 'server-not-ready'],
    ['28P01', 'Service Principal oid mismatch for role[legacy-app].', 'role-other-identity'],
  ])('explains SQLSTATE %s with "%s"', async (sqlstate, message, cause) => {
    const target = await startJudge(() => ({ sqlstate, message }));
    expect(await loginTo(target, token)).toMatchObject({ mark: 'wrong', cause });
  });

  test('quotes a server without the token, on one line and in short', async () => {
    const target = await startJudge(({ password }) => ({
      sqlstate: 'XX000',
      message: `no ${password}\n  DROP TABLE users;\u{1b}[2J${'x'.repeat(5000)}`,
    }));
    const { found } = await loginTo(target, token);
    expect(found).toContain('(SQLSTATE XX000): no [redacted]\ufffd  DROP TABLE users;\ufffd[2Jx');
    expect(found.length).toBeLessThan(450);
  });
});
