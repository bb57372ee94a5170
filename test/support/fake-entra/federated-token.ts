import { randomUUID } from 'node:crypto';
import { compactVerify, decodeJwt, decodeProtectedHeader, type JWTPayload } from 'jose';
import type { FederatedCredential } from './directory.ts';
import { onceSigningKey, type SigningKey, signJwt } from './signing-key.ts';

/** The Kubernetes cluster: it signs service-account tokens and publishes the key that proves it. */
export interface Cluster {
  readonly issuer: string;
  issueServiceAccountToken(options?: ServiceAccountTokenOptions): Promise<string>;
}

interface ServiceAccountTokenOptions {
  readonly lifetimeSeconds?: number;
  readonly subject?: string;
  readonly audience?: string;
  readonly issuer?: string;
  /** Names another key than the one that signs. */
  readonly kid?: string;
  /** The moment of issue; now, unless told otherwise. */
  readonly notBeforeMs?: number;
  /** Replaces claims, last of all; `undefined` takes one away. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** What can be said of a client assertion before anyone decides on it. */
export type Assertion =
  | { readonly readable: false }
  | {
      readonly readable: true;
      readonly keyId: string | undefined;
      readonly claims: JWTPayload;
      readonly signature: 'valid' | 'wrong' | 'unknown-key';
    };

export const clusterKey = onceSigningKey('cluster-key-1');

export async function issueServiceAccountToken(
  workload: FederatedCredential,
  nowMs: number,
  options: ServiceAccountTokenOptions = {},
): Promise<string> {
  const { lifetimeSeconds = 3600, notBeforeMs = nowMs, kid } = options;
  const issuedAt = Math.floor(notBeforeMs / 1000);
  const subject = options.subject ?? workload.subject;
  const claims = {
    aud: [options.audience ?? workload.audience],
    exp: issuedAt + lifetimeSeconds,
    iat: issuedAt,
    iss: options.issuer ?? workload.issuer,
    jti: randomUUID(),
    'kubernetes.io': boundObjects(subject),
    nbf: issuedAt,
    sub: subject,
    ...options.claims,
  };
  return signJwt(claims, await clusterKey(), kid === undefined ? {} : { kid });
}

function boundObjects(subject: string): object {
  const [, , namespace = 'default', serviceAccount = 'default'] = subject.split(':');
  return {
    namespace,
    node: {
      name: 'aks-nodepool1-31415926-vmss000000',
      uid: 'd2f6a0b1-3c47-4e58-9a6d-7b8c9d0e1f20',
    },
    pod: {
      name: `${serviceAccount}-7c9d6b5f48-x2v4q`,
      uid: '61b0e8d4-9f2a-4c35-8d17-a5c3e7f90b26',
    },
    serviceaccount: { name: serviceAccount, uid: '0f9e8d7c-6b5a-4493-8271-605f4e3d2c1b' },
  };
}

export async function inspectAssertion(assertion: string, key: SigningKey): Promise<Assertion> {
  let keyId: string | undefined;
  let claims: JWTPayload;
  try {
    keyId = decodeProtectedHeader(assertion).kid;
    claims = decodeJwt(assertion);
  } catch {
    return { readable: false };
  }
  if (keyId !== key.keyId) return { readable: true, keyId, claims, signature: 'unknown-key' };
  const signature = await compactVerify(assertion, key.publicKey, { algorithms: ['RS256'] }).then(
    () => 'valid' as const,
    () => 'wrong' as const,
  );
  return { readable: true, keyId, claims, signature };
}
