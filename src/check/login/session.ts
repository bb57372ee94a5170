import { createHash, randomBytes } from 'node:crypto';
import { on } from 'node:events';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect as connectTls, TLSSocket } from 'node:tls';
import { serialize } from 'pg-protocol';
import type {
  AuthenticationMD5Password,
  BackendMessage,
  ParameterStatusMessage,
} from 'pg-protocol/dist/messages.js';
import { Parser } from 'pg-protocol/dist/parser.js';
import { unlessAborted } from '../../support/clock.ts';
import { createScramExchange, SCRAM_MECHANISM } from './scram.ts';
import { isSocketDirectory, type LoginAttempt, type LoginTarget } from './target.ts';

/** How far the login got, updated as it proceeds. */
export type Progress = {
  -readonly [K in 'stage' | 'address' | 'asked']: LoginAttempt[K];
};

export interface SessionOptions {
  readonly target: LoginTarget;
  readonly address: string;
  /** `false` for a connection without TLS, on which the password is readable. */
  readonly tls: ConnectionOptions | false;
  /** Called when the server asks for it, and not before. */
  readonly password: () => string;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** What the server reports after the login. */
export interface ServerInfo {
  readonly serverVersion: string;
  /** Such as `TLSv1.3`; `undefined` without TLS. */
  readonly tlsVersion: string | undefined;
}

const reasons = {
  'tls-declined': 'the server does not support TLS',
  'not-postgresql': 'the answer is not of the PostgreSQL protocol',
  'auth-method': 'the server requires another authentication method',
  'scram-invalid': 'the SCRAM messages of the server are invalid',
  closed: 'the connection was closed',
} as const;

/** What ended a session when it was neither the system, nor TLS, nor an error of the server. */
export class SessionError extends Error {
  override readonly name = 'SessionError';
  readonly kind: keyof typeof reasons;
  /** The authentication method that the server requires, by its number in the protocol. */
  readonly authType: number | undefined;

  constructor(kind: keyof typeof reasons, authType?: number) {
    super(reasons[kind]);
    this.kind = kind;
    this.authType = authType;
  }
}

/**
 * Logs in, and ends the session. No socket is left behind.
 *
 * @throws SessionError, an error of the system or of TLS, the server's (a DatabaseError of
 * pg-protocol), or the reason of `signal`
 */
export async function openSession(options: SessionOptions): Promise<ServerInfo> {
  const { tls, address, progress, signal } = options;
  const socket = new Socket();
  ignoreErrors(socket);
  try {
    await unlessAborted(connect(socket, options), signal);
    progress.stage = tls === false ? 'login' : 'tls';
    const stream =
      tls === false ? socket : await unlessAborted(startTls(socket, tls, address), signal);
    progress.stage = 'login';
    const serverVersion = await unlessAborted(logIn(stream, options), signal);
    const tlsVersion = stream instanceof TLSSocket ? stream.getProtocol() : null;
    await unlessAborted(terminate(stream), signal).catch(() => undefined);
    return { serverVersion, tlsVersion: tlsVersion ?? undefined };
  } finally {
    socket.destroy();
  }
}

async function connect(socket: Socket, { target, address }: SessionOptions): Promise<void> {
  const { port } = target;
  socket.setNoDelay();
  if (isSocketDirectory(address)) socket.connect(`${address}/.s.PGSQL.${port}`);
  else socket.connect(port, address);
  await first(socket, 'connect');
}

/** https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-SSL */
async function startTls(
  socket: Socket,
  tls: ConnectionOptions,
  address: string,
): Promise<TLSSocket> {
  socket.write(serialize.requestSsl());
  const answer = String(await first(socket, 'data'));
  if (answer === 'N') throw new SessionError('tls-declined');
  // Anything beyond this one byte is unencrypted, and could have been injected.
  if (answer !== 'S') throw new SessionError('not-postgresql');
  const stream = connectTls({ host: address, ...tls, socket });
  ignoreErrors(stream);
  await first(stream, 'secureConnect');
  return stream;
}

/** https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-START-UP */
async function logIn(
  stream: Duplex,
  { target: { user, database }, password, progress }: SessionOptions,
): Promise<string> {
  const scram = createScramExchange(randomBytes(18).toString('base64'));
  let serverVersion = 'of an unknown version';
  stream.write(serialize.startup({ user, database, application_name: 'pgpassd check' }));
  for await (const message of messagesFrom(stream)) {
    switch (message.name) {
      case 'authenticationCleartextPassword':
        stream.write(serialize.password(password()));
        break;
      case 'authenticationMD5Password': {
        progress.asked = 'MD5';
        const { salt } = message as AuthenticationMD5Password;
        stream.write(serialize.password(md5Password(user, password(), salt)));
        break;
      }
      case 'authenticationSASL': {
        progress.asked = 'SCRAM';
        const { mechanisms } = message as BackendMessage & { readonly mechanisms: string[] };
        if (!mechanisms.includes(SCRAM_MECHANISM)) throw new SessionError('auth-method', SASL);
        const { clientFirst } = scram;
        stream.write(serialize.sendSASLInitialResponseMessage(SCRAM_MECHANISM, clientFirst));
        break;
      }
      case 'authenticationSASLContinue': {
        const clientFinal = scram.clientFinal(dataOf(message), password());
        if (clientFinal === undefined) throw new SessionError('scram-invalid');
        stream.write(serialize.sendSCRAMClientFinalMessage(clientFinal));
        break;
      }
      case 'authenticationSASLFinal':
        if (!scram.verifies(dataOf(message))) throw new SessionError('scram-invalid');
        break;
      case 'parameterStatus': {
        const { parameterName, parameterValue } = message as ParameterStatusMessage;
        if (parameterName !== 'server_version') break;
        serverVersion = /^[\d.]{1,20}/.exec(parameterValue)?.[0] ?? serverVersion;
        break;
      }
      case 'error':
        throw message;
      case 'readyForQuery':
        return serverVersion;
      default:
    }
  }
  throw new SessionError('closed');
}

/** Ends the session; resolves when the connection is closed. */
function terminate(stream: Duplex): Promise<void> {
  return new Promise((resolve) => {
    stream.once('close', resolve);
    stream.resume();
    stream.end(serialize.end());
  });
}

/** The byte of the type, and the length of the rest, itself included. */
const HEADER_BYTES = 5;

/** Messages of a login take a few hundred bytes. */
const LARGEST_MESSAGE_BYTES = 1024 * 1024;

const AUTHENTICATION = 'R'.charCodeAt(0);
const SASL = 10;

/** Ok, a password in cleartext or MD5, and the three steps of SASL. */
const knownAuthTypes = [0, 3, 5, SASL, 11, 12];

/** Until the stream ends: https://www.postgresql.org/docs/current/protocol-message-formats.html */
async function* messagesFrom(stream: Duplex): AsyncGenerator<BackendMessage> {
  if (stream.destroyed) return;
  let rest: Buffer = Buffer.alloc(0);
  for await (const [bytes] of on(stream, 'data', { close: ['end', 'close'] })) {
    rest = Buffer.concat([rest, bytes as Buffer]);
    while (rest.length >= HEADER_BYTES) {
      const length = 1 + rest.readUInt32BE(1);
      if (length < HEADER_BYTES || length > LARGEST_MESSAGE_BYTES) {
        throw new SessionError('not-postgresql');
      }
      if (rest.length < length) break;
      yield interpretMessage(rest.subarray(0, length));
      rest = rest.subarray(length);
    }
  }
}

function interpretMessage(bytes: Buffer): BackendMessage {
  // For an authentication type that it does not know, pg-protocol throws without naming it.
  if (bytes[0] === AUTHENTICATION && bytes.length >= HEADER_BYTES + 4) {
    const authType = bytes.readUInt32BE(HEADER_BYTES);
    if (!knownAuthTypes.includes(authType)) throw new SessionError('auth-method', authType);
  }
  const message = parseWithPgProtocol(bytes);
  // For a message type that it does not know, pg-protocol returns an error without a SQLSTATE.
  if (message === undefined || (message.name === 'error' && !('code' in message && message.code))) {
    throw new SessionError('not-postgresql');
  }
  return message;
}

/** pg-protocol never ends reading an ErrorResponse that lacks its last zeros; these end it, and are no message. */
const ZEROS = Buffer.alloc(HEADER_BYTES - 1);

function parseWithPgProtocol(bytes: Buffer): BackendMessage | undefined {
  let message: BackendMessage | undefined;
  try {
    new Parser().parse(Buffer.concat([bytes, ZEROS]), (each) => {
      message = each;
    });
  } catch {
    return undefined;
  }
  return message;
}

function dataOf(message: BackendMessage): string {
  return 'data' in message && typeof message.data === 'string' ? message.data : '';
}

/** https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-START-UP */
function md5Password(user: string, password: string, salt: Buffer): string {
  const md5 = (...texts: (string | Buffer)[]) =>
    texts.reduce((hash, text) => hash.update(text), createHash('md5')).digest('hex');
  return `md5${md5(md5(password, user), salt)}`;
}

/** What the first `event` of a stream comes with; rejects when the stream fails or closes before. */
function first(stream: Duplex, event: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    if (stream.destroyed) reject(new SessionError('closed'));
    stream.once(event, resolve);
    stream.once('error', reject);
    stream.once('close', () => reject(new SessionError('closed')));
  });
}

/** Each step waits for errors itself; what comes after the last step does not matter. */
function ignoreErrors(stream: Duplex): void {
  stream.on('error', () => undefined);
}
