import { EventEmitter, once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createSecureContext } from 'node:tls';
import type { ServerCertificate } from '../certificates.ts';
import type { ConnectTarget } from '../connect-target.ts';
import type { Judge, Verdict } from './judge.ts';
import { serve } from './session.ts';

export interface FrontOptions {
  /** The PostgreSQL behind, which trusts everyone. */
  server: ConnectTarget;
  certificate: ServerCertificate;
  judge: Judge;
  now?: () => number;
}

interface Login {
  at: Date;
  user: string;
  database: string;
  ok: boolean;
  reason?: string;
}

/** A PostgreSQL that lets clients in as Azure's flexible server does. */
export interface Front {
  host: string;
  port: number;
  /** Every login that was judged, the oldest first. */
  logins: readonly Login[];
  /** The first login that is judged after the call. */
  nextLogin(): Promise<Login>;
  close(): Promise<void>;
}

const host = '127.0.0.1';

export async function startFront(options: FrontOptions): Promise<Front> {
  const { server, certificate, judge, now = Date.now } = options;
  const secureContext = createSecureContext({ cert: certificate.certPem, key: certificate.keyPem });
  const sockets = new Set<Socket>();
  const logins: Login[] = [];
  const judged = new EventEmitter<{ login: [Login] }>();

  const own = (socket: Socket): void => {
    sockets.add(socket);
    // A connection that breaks is its client's loss; 'close' follows every error.
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
  };
  const record = (user: string, database: string, verdict: Verdict): void => {
    const login = { at: new Date(now()), user, database, ...outcome(verdict) };
    logins.push(login);
    judged.emit('login', login);
  };

  const listener = createServer((connection) => {
    own(connection);
    void serve(connection, { server, secureContext, judge, own, record });
  });
  listener.listen(0, host);
  await once(listener, 'listening');
  return {
    host,
    port: (listener.address() as AddressInfo).port,
    logins,
    nextLogin: () => new Promise((resolve) => judged.once('login', resolve)),
    close: async () => {
      if (!listener.listening) return;
      const closed = once(listener, 'close');
      listener.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function outcome(verdict: Verdict): { ok: boolean; reason?: string } {
  return verdict === 'ok' ? { ok: true } : { ok: false, reason: verdict.message };
}
