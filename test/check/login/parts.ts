import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, onTestFinished } from 'vitest';
import { type LoginContext, login } from '../../../src/check/login/login.ts';
import type { LoginTarget } from '../../../src/check/login/target.ts';
import type { Finding } from '../../../src/check/step.ts';
import { systemClock } from '../../../src/support/clock.ts';
import { Secret } from '../../../src/support/secret.ts';
import { ask } from '../../support/fake-entra/ask.ts';
import { type FakeEntraOptions, startFakeEntra } from '../../support/fake-entra/server.ts';
import { findLeaks } from '../../support/leak-check.ts';

/** A token of the tenant, whose key all fakes of a process share. */
export async function issueToken(options: FakeEntraOptions = {}): Promise<Secret> {
  const entra = await startFakeEntra(options);
  try {
    const [resource] = options.resources ?? [];
    const answer = await ask(entra, resource === undefined ? {} : { resource });
    const { access_token: token } = (await answer.json()) as { access_token: string };
    return new Secret(token);
  } finally {
    await entra.close();
  }
}

/** What a login came to, having made sure that it quotes no piece of the token. */
export async function loginTo(
  target: LoginTarget,
  token: Secret,
  change: Partial<LoginContext> = {},
): Promise<Finding> {
  const context = { clock: systemClock, timeoutMs: 20_000, signal: endless, ...change };
  const finding = await login(target, token, context);
  expect(findLeaks(JSON.stringify(finding), [token.unwrap()])).toEqual([]);
  return finding;
}

/** Never aborts. */
const { signal: endless } = new AbortController();

export interface Peer {
  readonly port: number;
  /** Resolves when the first connection is gone. */
  readonly left: Promise<unknown>;
}

/** Something that accepts connections on the loopback, and treats them as told. */
export async function startPeer(
  treat: (socket: Socket) => void,
  at: { readonly host: string; readonly port: number } = { host: '127.0.0.1', port: 0 },
): Promise<Peer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    treat(socket);
  });
  await once(server.listen(at), 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    left: new Promise((resolve) => {
      server.once('connection', (socket) => socket.once('close', resolve));
    }),
  };
}
