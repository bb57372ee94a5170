import { type CryptoKey, generateKeyPair, type JWTPayload, SignJWT } from 'jose';

export interface SigningKey {
  readonly keyId: string;
  readonly publicKey: CryptoKey;
  readonly privateKey: CryptoKey;
}

export async function generateSigningKey(keyId: string): Promise<SigningKey> {
  return { keyId, ...(await generateKeyPair('RS256')) };
}

/** An RSA key takes a noticeable moment to make, so each authority has one a process. */
export function onceSigningKey(keyId: string): () => Promise<SigningKey> {
  let key: Promise<SigningKey> | undefined;
  return () => {
    key ??= generateSigningKey(keyId);
    return key;
  };
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
