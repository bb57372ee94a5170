import {
  type CryptoKey,
  generateKeyPair,
  importJWK,
  type JWK,
  type JWTPayload,
  SignJWT,
} from 'jose';

/** Who has a key of its own. */
export const authorities = ['cluster-key-1', 'entra-key-1'] as const;

/** Holds the keys that a test run has made for all of its processes, as JSON; see `share-keys.ts`. */
export const keysVariable = 'PGPASSD_TEST_KEYS';

export interface SigningKey {
  readonly keyId: string;
  readonly publicKey: CryptoKey;
  readonly privateKey: CryptoKey;
}

export async function generateSigningKey(keyId: string): Promise<SigningKey> {
  return { keyId, ...(await generateKeyPair('RS256')) };
}

/** An RSA key takes a noticeable moment to make, so each authority has one a process, or one a test run. */
export function onceSigningKey(keyId: (typeof authorities)[number]): () => Promise<SigningKey> {
  let key: Promise<SigningKey> | undefined;
  return () => {
    key ??= sharedSigningKey(keyId) ?? generateSigningKey(keyId);
    return key;
  };
}

function sharedSigningKey(keyId: string): Promise<SigningKey> | undefined {
  const shared = process.env[keysVariable];
  if (shared === undefined) return undefined;
  const keys = JSON.parse(shared) as Record<string, { public: JWK; private: JWK }>;
  const pair = keys[keyId];
  return pair && importSigningKey(keyId, pair);
}

async function importSigningKey(
  keyId: string,
  pair: { public: JWK; private: JWK },
): Promise<SigningKey> {
  const [publicKey, privateKey] = await Promise.all(
    [pair.public, pair.private].map((jwk) => importJWK(jwk, 'RS256') as Promise<CryptoKey>),
  );
  if (!publicKey || !privateKey) throw new Error(`no pair of keys: ${keyId}`);
  return { keyId, publicKey, privateKey };
}

export function signJwt(
  claims: JWTPayload,
  key: SigningKey,
  header: Readonly<Record<string, string>> = {},
): Promise<string> {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'RS256', kid: key.keyId, ...header })
    .sign(key.privateKey);
}
