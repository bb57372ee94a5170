import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, TLSSocket } from 'node:tls';
import type { Connection } from 'pg';
import { unlessAborted } from '../../support/deadline.ts';
import type { LoginAttempt, LoginTarget } from './target.ts';

/** How far the login got, updated as it proceeds. */
export type Progress = {
  -readonly [K in 'stage' | 'address' | 'asked']: LoginAttempt[K];
};

export interface SessionOptions {
  readonly target: LoginTarget;
  readonly address: string;
  /** Without TLS, and so in the clear, when `false`. */
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

/**
 * Logs in with node-postgres, and out again. Rejects with what it, Node or the server says, or the
 * reason of `signal`. No socket is left behind.
 */
export async function openSession(options: SessionOptions): Promise<ServerInfo> {
  const { target, address, tls, password, signal } = options;
  const { Client, Connection } = await import('pg');
  const socket = new Socket();
  const connection = new Connection({ stream: () => socket, ssl: tls });
  const { port, user, database } = target;
  // All of it: node-postgres takes from the environment what is not said here, or below.
  const settings = {
    connection,
    host: address,
    port,
    user,
    database,
    password,
    ssl: tls,
    sslnegotiation: 'postgres',
  } as const;
  const client = new Client(settings);
  Object.assign(client, {
    getStartupConf: () => ({ user, database, application_name: 'pgpassd check' }),
  });
  // What goes wrong after the login is nobody's concern.
  client.on('error', () => undefined);
  follow(connection, socket, options);
  let serverVersion = 'of an unknown version';
  connection.on('parameterStatus', ({ parameterName: name, parameterValue: value }) => {
    if (name === 'server_version') serverVersion = /^[\d.]{1,20}/.exec(value)?.[0] ?? serverVersion;
  });
  try {
    const connecting = client.connect();
    if (tls === false) catchThrown(socket);
    await unlessAborted(connecting, signal);
    const { stream } = connection;
    const tlsVersion = stream instanceof TLSSocket ? stream.getProtocol() : null;
    await unlessAborted(client.end(), signal).catch(() => undefined);
    return { serverVersion, tlsVersion: tlsVersion ?? undefined };
  } finally {
    socket.destroy();
  }
}

function follow(connection: Connection, socket: Socket, { tls, progress }: SessionOptions): void {
  socket.once('connect', () => {
    progress.stage = tls === false ? 'login' : 'tls';
  });
  connection.once('sslconnect', () => {
    const { stream } = connection;
    stream.once('secureConnect', () => {
      progress.stage = 'login';
    });
    catchThrown(stream);
  });
  connection.on('authenticationSASL', () => {
    progress.asked = 'SCRAM';
  });
  connection.on('authenticationMD5Password', () => {
    progress.asked = 'MD5';
  });
}

/** node-postgres throws where nobody catches when a server says something it does not know. */
function catchThrown(stream: Duplex): void {
  for (const listener of stream.listeners('data')) {
    stream.off('data', listener as () => void);
    stream.on('data', (bytes: Buffer) => {
      try {
        listener.call(stream, bytes);
      } catch (error) {
        stream.destroy(error as Error);
      }
    });
  }
}
