import { once } from 'node:events';
import type { Socket } from 'node:net';
import { type SecureContext, TLSSocket } from 'node:tls';
import { type ConnectTarget, connectTo } from '../connect-target.ts';
import type { Judge, Verdict } from './judge.ts';
import {
  alpnProtocol,
  authenticationCleartextPassword,
  errorResponse,
  type Fatal,
  gssencRefused,
  type OpeningPacket,
  ProtocolError,
  peekByte,
  sslAccepted,
  type Taken,
  takeOpeningPacket,
  takePassword,
  tlsHandshakeByte,
} from './wire.ts';

export interface SessionContext {
  server: ConnectTarget;
  secureContext: SecureContext;
  judge: Judge;
  /** Is told of every socket of the session, so that someone else can destroy it. */
  own(socket: Socket): void;
  record(user: string, database: string, verdict: Verdict): void;
}

/** The client's side of a session: the TCP socket, or the TLS socket on top of it. */
interface Client {
  socket: Socket;
  encrypted: boolean;
  /** Aborts when the connection is gone, whatever we were waiting for. */
  gone: AbortSignal;
}

type Startup = Extract<OpeningPacket, { kind: 'startup' }>;

/** One connection, from its first byte on. Settles once it relays or has ended; never rejects. */
export async function serve(connection: Socket, context: SessionContext): Promise<void> {
  const closed = new AbortController();
  connection.once('close', () => closed.abort());
  const client: Client = { socket: connection, encrypted: false, gone: closed.signal };
  try {
    const opening = await open(client, context);
    if (opening.kind === 'startup') await login(client, opening, context);
    else if (opening.kind === 'cancel-request') relay(client.socket, opening.packet, context);
  } catch (error) {
    if (!closed.signal.aborted) refuse(client.socket, asFatal(error));
  }
}

/** Answers the requests for encryption, until the client says what it wants. */
async function open(client: Client, context: SessionContext): Promise<OpeningPacket> {
  const direct = (await read(client, peekByte)) === tlsHandshakeByte;
  const directTls = direct ? startTls(client, context) : undefined;
  for (;;) {
    const packet = await read(client, takeOpeningPacket);
    if (directTls && !directTls.alpnProtocol) {
      throw new ProtocolError('received direct SSL connection request without ALPN');
    }
    if (packet.kind === 'gssenc-request') {
      client.socket.write(gssencRefused);
    } else if (packet.kind === 'ssl-request') {
      if (client.encrypted) throw new ProtocolError('SSL is already in use');
      if (client.socket.readableLength > 0) {
        throw new ProtocolError('received unencrypted data after SSL request');
      }
      client.socket.write(sslAccepted);
      startTls(client, context);
    } else {
      return packet;
    }
  }
}

function startTls(client: Client, { secureContext, own }: SessionContext): TLSSocket {
  const ALPNProtocols = [alpnProtocol];
  const tls = new TLSSocket(client.socket, { isServer: true, secureContext, ALPNProtocols });
  own(tls);
  client.socket = tls;
  client.encrypted = true;
  return tls;
}

async function login(client: Client, startup: Startup, context: SessionContext): Promise<void> {
  const verdict = await authenticate(client, startup, context.judge);
  context.record(startup.user, startup.database, verdict);
  if (verdict === 'ok') relay(client.socket, startup.packet, context);
  else refuse(client.socket, verdict);
}

async function authenticate(client: Client, startup: Startup, judge: Judge): Promise<Verdict> {
  const { user, database } = startup;
  if (!client.encrypted) return noEncryption(client.socket.remoteAddress, user, database);
  client.socket.write(authenticationCleartextPassword());
  const password = await read(client, takePassword);
  return await judge({ user, database, password });
}

function noEncryption(host: string | undefined, user: string, database: string): Fatal {
  const entry = `host "${host}", user "${user}", database "${database}"`;
  return { sqlstate: '28000', message: `no pg_hba.conf entry for ${entry}, no encryption` };
}

/** Waits until the stream holds what is wanted, and puts back what follows it. */
async function read<T>(
  { socket, gone }: Client,
  take: (bytes: Buffer) => Taken<T> | undefined,
): Promise<T> {
  let bytes: Buffer = Buffer.alloc(0);
  for (;;) {
    const chunk = socket.read() as Buffer | null;
    if (chunk) bytes = Buffer.concat([bytes, chunk]);
    else await once(socket, 'readable', { signal: gone });
    const taken = take(bytes);
    if (!taken) continue;
    if (taken.rest.length > 0) socket.unshift(taken.rest);
    return taken.value;
  }
}

/** From here on the session is the server's own affair; the token is not looked at again. */
function relay(client: Socket, opening: Buffer, { server, own }: SessionContext): void {
  if (client.destroyed) return;
  const upstream = connectTo(server);
  own(upstream);
  upstream.write(opening);
  client.pipe(upstream).pipe(client);
  // Not destroy: what was written last, such as a FATAL from the server, has yet to arrive.
  upstream.once('close', () => client.destroySoon());
  client.once('close', () => upstream.destroySoon());
}

function refuse(client: Socket, fatal: Fatal): void {
  client.end(errorResponse(fatal));
  // Unread input would turn the orderly end into a reset that overtakes the message.
  client.resume();
}

function asFatal(error: unknown): Fatal {
  if (error instanceof ProtocolError) return error;
  return { sqlstate: 'XX000', message: `the front failed: ${String(error)}` };
}
