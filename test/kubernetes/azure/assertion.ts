import {
  compactVerify,
  createLocalJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  errors,
  type JSONWebKeySet,
  type JWTPayload,
} from 'jose';
import type { Assertion } from '../../support/fake-entra/federated-token.ts';

/** A real cluster's token, in the eyes of one who knows the keys that the cluster publishes. */
export async function inspectAssertion(text: string, keys: JSONWebKeySet): Promise<Assertion> {
  let keyId: string | undefined;
  let claims: JWTPayload;
  try {
    keyId = decodeProtectedHeader(text).kid;
    claims = decodeJwt(text);
  } catch {
    return { readable: false };
  }
  const signature = await compactVerify(text, createLocalJWKSet(keys)).then(
    () => 'valid' as const,
    (error: unknown) =>
      error instanceof errors.JWKSNoMatchingKey ? ('unknown-key' as const) : ('wrong' as const),
  );
  return { readable: true, keyId, claims, signature };
}
