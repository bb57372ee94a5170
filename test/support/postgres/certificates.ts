import { isIP } from 'node:net';
import { generate } from 'selfsigned';

export interface ServerCertificate {
  certPem: string;
  keyPem: string;
}

export interface CertificateAuthority {
  certPem: string;
  issue(request: CertificateRequest): Promise<ServerCertificate>;
  /** A CA that this one vouches for, as those that issue certificates mostly are. */
  issueCa(): Promise<CertificateAuthority>;
}

interface CertificateRequest {
  /** DNS names and IP addresses; libpq's verify-full compares the host with these alone. */
  hosts: string[];
  expired?: boolean;
}

const dayMs = 24 * 60 * 60 * 1_000;
const keys = { keyType: 'ec', curve: 'P-256', algorithm: 'sha256' } as const;

export function createCa(): Promise<CertificateAuthority> {
  return createAuthority('pgpassd test CA');
}

interface Signer {
  readonly cert: string;
  readonly key: string;
}

async function createAuthority(name: string, above?: Signer): Promise<CertificateAuthority> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: name }], {
    ...keys,
    ...validity(false),
    ...(above && { ca: above }),
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  return {
    certPem: cert,
    issue: (request) => issue({ cert, key }, request),
    issueCa: () => createAuthority('pgpassd test issuing CA', { cert, key }),
  };
}

async function issue(
  ca: Signer,
  { hosts, expired = false }: CertificateRequest,
): Promise<ServerCertificate> {
  const server = await generate([{ name: 'commonName', value: 'pgpassd test server' }], {
    ...keys,
    ...validity(expired),
    ca,
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      { name: 'subjectAltName', altNames: hosts.map(altName) },
    ],
  });
  return { certPem: server.cert, keyPem: server.private };
}

function altName(host: string): { type: 7; ip: string } | { type: 2; value: string } {
  return isIP(host) ? { type: 7, ip: host } : { type: 2, value: host };
}

/** Whole days away from now, so that no clock skew gets in the way. */
function validity(expired: boolean): { notBeforeDate: Date; notAfterDate: Date } {
  const nowMs = Date.now();
  const untilMs = expired ? nowMs - dayMs : nowMs + dayMs;
  return { notBeforeDate: new Date(untilMs - 3 * dayMs), notAfterDate: new Date(untilMs) };
}
