import { X509Certificate } from 'node:crypto';
import { isIP, type Socket } from 'node:net';
import { type ConnectionOptions, TLSSocket } from 'node:tls';
import { buildConnector } from 'undici';
import { formatAddress } from '../support/text.ts';
import { askSystem, type LookUp, patientLookUp } from './look-up.ts';
import { firstToConnect } from './race.ts';
import type { Attempt } from './way.ts';

type Connector = buildConnector.connector;
type Target = buildConnector.Options;

/** Whom to trust and what to ask for in TLS handshakes. */
export type Trust = Pick<ConnectionOptions, 'ca' | 'servername'>;

/**
 * What every handshake is done with. Certificates are verified whatever NODE_TLS_REJECT_UNAUTHORIZED
 * says; and a CA that is named vouches for what it signed, its root being there or not, as for curl
 * and Go. The attempt bounds the time.
 */
export const tlsOptions = (trust: Trust) => ({
  ...trust,
  rejectUnauthorized: true,
  allowPartialTrustChain: true,
  timeout: 0,
});

/** How a way's attempts connect; names that they look up are shared by them. */
export type Connectors = (attempt: Attempt, trust: Trust) => Connector;

export function createConnectors(lookUp: LookUp = patientLookUp(askSystem)): Connectors {
  return (attempt, trust) => {
    const secure = buildConnector(tlsOptions(trust));
    return (target, callback) => {
      establish(target, attempt, lookUp, secure).then(
        (socket) => callback(null, socket),
        (error: Error) => callback(error, null),
      );
    };
  };
}

async function establish(
  target: Target,
  attempt: Attempt,
  lookUp: LookUp,
  secure: Connector,
): Promise<Socket> {
  const { hostname, protocol, host = hostname } = target;
  const { signal, onStep } = attempt;
  onStep({ type: 'resolving', host });
  const addresses = isIP(hostname) === 0 ? await lookUp(hostname, attempt) : [];
  onStep({ type: 'resolved', host, addresses });
  const socket = await firstToConnect(addresses.length === 0 ? [hostname] : addresses, {
    ...attempt,
    port: Number(target.port) || (protocol === 'https:' ? 443 : 80),
    onTry: (address) => onStep({ type: 'connecting', host, address }),
  });
  // undici breaks off what it has connected to, but no handshake.
  signal.addEventListener('abort', () => socket.destroy(), { once: true });
  if (signal.aborted) socket.destroy();
  const { remoteAddress = '', remotePort = 0 } = socket;
  const address = formatAddress({ host: remoteAddress, port: remotePort });
  onStep({ type: 'connected', host, address });
  const ready =
    protocol === 'https:'
      ? await handshake(target, socket, secure, onStep)
      : socket.setKeepAlive(true);
  onStep({ type: 'ready', host });
  return ready;
}

function handshake(
  target: Target,
  httpSocket: Socket,
  secure: Connector,
  onStep: Attempt['onStep'],
): Promise<Socket> {
  const { host = target.hostname } = target;
  onStep({ type: 'handshaking', host });
  return new Promise((resolve, reject) => {
    const socket: unknown = secure({ ...withoutAddress(target), httpSocket }, (error, secured) =>
      error === null ? resolve(secured) : reject(error),
    );
    // Node tells of the end of a handshake without documenting it, and takes back a certificate that it refuses.
    if (socket instanceof TLSSocket) {
      socket.prependOnceListener('secure', () =>
        onStep({ type: 'presented', host, certificate: certificateOf(socket) }),
      );
    }
  });
}

/** An address is no name to ask for: RFC 6066, section 3. Its certificate is compared with it all the same. */
function withoutAddress(target: Target): Target {
  const { servername, ...rest } = target;
  // undici gives null for none.
  const name = servername?.replace(/^\[(.*)\]$/, '$1') ?? '';
  return isIP(name) === 0 ? target : rest;
}

/** By `getPeerX509Certificate` Node 24 would take away what its own check of the name needs next. */
export function certificateOf(socket: unknown): X509Certificate | undefined {
  const raw = socket instanceof TLSSocket ? socket.getPeerCertificate()?.raw : undefined;
  return raw && new X509Certificate(raw);
}
