import { once } from 'node:events';
import type { Server } from 'node:net';
import { PgpassdError, systemErrorCode } from '../support/errors.ts';
import { type Address, formatAddress, meansEveryAddress } from '../support/text.ts';

/**
 * Resolves when `server` listens. Kubelet probes a pod at the first of its addresses, whichever kind
 * it is, so `0.0.0.0`, `::` or no host all mean every address: Node without a host listens on `::`,
 * for IPv6 and IPv4, or on `0.0.0.0` where there is no IPv6.
 * https://nodejs.org/docs/latest-v24.x/api/net.html#serverlistenport-host-backlog-callback
 *
 * @throws PgpassdError `config.invalid` when the address cannot be listened on
 */
export async function listen(server: Server, address: Address): Promise<void> {
  const { host, port } = address;
  try {
    server.listen({ port, ...(!meansEveryAddress(host) && { host }) });
    await once(server, 'listening');
  } catch (error) {
    const code = systemErrorCode(error) ?? 'unknown error';
    const [why, remedy] = refusals[code] ?? ['the system refuses it', ANOTHER_ADDRESS];
    throw new PgpassdError(
      'config.invalid',
      `--http-address (PGPASSD_HTTP_ADDRESS) ${formatAddress(address)} cannot be listened on: ${why} (${code})`,
      remedy,
      { cause: error },
    );
  }
}

const ANOTHER_ADDRESS = 'Set it to 0.0.0.0 and a port for every address of the pod, or to off.';

const refusals: Readonly<Record<string, readonly [why: string, remedy: string]>> = {
  EADDRINUSE: [
    'the port is in use',
    'Set it to a port that no other process of the pod has, or to off.',
  ],
  EACCES: ['the port takes a privilege', 'Set it to a port from 1024 on, or to off.'],
  EADDRNOTAVAIL: ['it is no address of this machine', ANOTHER_ADDRESS],
  ENOTFOUND: ['the name does not resolve', ANOTHER_ADDRESS],
  EAI_AGAIN: ['the name does not resolve', ANOTHER_ADDRESS],
};
