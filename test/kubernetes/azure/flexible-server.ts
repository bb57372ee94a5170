import { once } from 'node:events';
import { createServer, type Server as Listener } from 'node:net';
import { createSecureContext } from 'node:tls';
import { decodeJwt } from 'jose';
import { verifyAccessToken } from '../../support/fake-entra/access-token.ts';
import type { ServerCertificate } from '../../support/postgres/certificates.ts';
import { type Judge, tokenJudge } from '../../support/postgres/front/judge.ts';
import { serve } from '../../support/postgres/front/session.ts';
import type { Server } from '../../support/postgres/server.ts';
import type { Observation } from './observation.ts';

export interface FlexibleServerOptions {
  readonly server: Server;
  readonly certificate: ServerCertificate;
  readonly role: string;
  readonly objectId: string;
  readonly port: number;
  readonly observe: (observation: Observation) => void;
}

/** PostgreSQL behind a front that judges tokens as Azure does, for clients from other pods. */
export async function serveFlexibleServer(options: FlexibleServerOptions): Promise<Listener> {
  const { server, certificate, role, objectId, port, observe } = options;
  const judge = observed(
    tokenJudge({ verifyAccessToken, roles: new Map([[role, objectId]]), now: Date.now }),
    observe,
  );
  const secureContext = createSecureContext({ cert: certificate.certPem, key: certificate.keyPem });
  const listener = createServer((connection) => {
    // A connection that breaks is its client's loss.
    connection.on('error', () => {});
    void serve(connection, {
      server: server.connectTarget,
      secureContext,
      judge,
      own: (socket) => socket.on('error', () => {}),
      record: () => {},
    });
  });
  listener.listen(port);
  await once(listener, 'listening');
  return listener;
}

function observed(judge: Judge, observe: (observation: Observation) => void): Judge {
  return async (attempt) => {
    const verdict = await judge(attempt);
    observe({
      event: 'login',
      at: new Date().toISOString(),
      database: attempt.database,
      ok: verdict === 'ok',
      ...idOf(attempt.password),
      ...(verdict !== 'ok' && { reason: verdict.message }),
    });
    return verdict;
  };
}

/** Which token it was, in words that open nothing. */
function idOf(password: string): { token?: string } {
  try {
    return { token: String(decodeJwt(password)['uti']) };
  } catch {
    return {};
  }
}
