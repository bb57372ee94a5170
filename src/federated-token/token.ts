import { PgpassdError } from '../support/errors.ts';
import { decodeJwtClaims, type JwtClaims, numericDateMs, stringClaim } from '../support/jwt.ts';
import { Secret } from '../support/secret.ts';

/** The service-account token that Kubernetes projects, sent to Entra as the client assertion. */
export interface FederatedToken {
  readonly assertion: Secret;
  readonly identity: FederatedIdentity;
  /** Milliseconds since the epoch; absent when the token does not say. */
  readonly expiresAtMs?: number;
}

/** What Entra compares, byte for byte, with the federated identity credential. */
export interface FederatedIdentity {
  readonly issuer: string | undefined;
  readonly subject: string | undefined;
  readonly audience: readonly string[];
}

/**
 * The content of a token file, surrounding white space aside.
 *
 * @throws PgpassdError `federated-token.empty` or `federated-token.malformed`
 */
export function parseFederatedToken(content: string, path: string): FederatedToken {
  const text = content.trim();
  if (text === '') {
    throw new PgpassdError(
      'federated-token.empty',
      `the federated token file ${path} is empty`,
      'Wait for kubelet to fill it; if it stays empty, look at the projected volume in the pod spec.',
    );
  }
  const claims = decodeJwtClaims(text);
  if (claims === undefined) {
    throw new PgpassdError(
      'federated-token.malformed',
      `the federated token file ${path} does not hold a JWT`,
      'Point --federated-token-file (AZURE_FEDERATED_TOKEN_FILE) at the projected service-account token.',
    );
  }
  const expiresAtMs = numericDateMs(claims, 'exp');
  return {
    assertion: new Secret(text),
    identity: {
      issuer: stringClaim(claims, 'iss'),
      subject: stringClaim(claims, 'sub'),
      audience: audienceOf(claims),
    },
    ...(expiresAtMs !== undefined && { expiresAtMs }),
  };
}

/** `aud` is one string or a list of them: RFC 7519 section 4.1.3. */
function audienceOf(claims: JwtClaims): readonly string[] {
  const audience = claims['aud'];
  return (Array.isArray(audience) ? audience : [audience]).filter(
    (each) => typeof each === 'string',
  );
}

export function sameIdentity(one: FederatedIdentity, other: FederatedIdentity): boolean {
  return (
    one.issuer === other.issuer &&
    one.subject === other.subject &&
    one.audience.length === other.audience.length &&
    one.audience.every((each, index) => each === other.audience[index])
  );
}

/**
 * Entra answers an expired assertion with AADSTS700024; asking is a waste while kubelet has not rotated.
 *
 * @throws PgpassdError `federated-token.expired`
 */
export function assertUnexpired(federated: FederatedToken, nowMs: number): void {
  if (federated.expiresAtMs === undefined || federated.expiresAtMs > nowMs) return;
  throw new PgpassdError(
    'federated-token.expired',
    `the federated token expired at ${new Date(federated.expiresAtMs).toISOString()}`,
    'Check that kubelet rotates it (a subPath mount never changes) and that the clocks of node and pod agree.',
  );
}
