import { errorOf, failure } from '../support/failure.ts';
import { decodeJwtClaims, type JwtClaims, numericDateMs, stringClaim } from '../support/jwt.ts';
import { Secret } from '../support/secret.ts';

/** The service-account token that Kubernetes projects, sent to Entra as the client assertion. */
export interface FederatedToken {
  readonly assertion: Secret;
  readonly identity: FederatedIdentity;
  /** Milliseconds since the epoch; absent when the token does not say. */
  readonly expiresAtMs?: number;
}

/** The claims that Entra compares, byte for byte, with the federated identity credential. */
export interface FederatedIdentity {
  readonly issuer: string | undefined;
  readonly subject: string | undefined;
  readonly audience: readonly string[];
}

export const federatedTokenEmpty = failure<'path'>(
  'federated-token-empty',
  'federated-token.empty',
  ({ path }) => ({
    found: `the federated token file ${path} is empty`,
    remedy:
      'Wait for kubelet to fill it; if it stays empty, check the projected volume in the pod spec.',
  }),
);

export const federatedTokenMalformed = failure<'path'>(
  'federated-token-malformed',
  'federated-token.malformed',
  ({ path }) => ({
    found: `the federated token file ${path} does not contain a JWT`,
    remedy:
      'Point --federated-token-file (AZURE_FEDERATED_TOKEN_FILE) at the projected service-account token.',
  }),
);

export const federatedTokenExpired = failure<'time'>(
  'federated-token-expired',
  'federated-token.expired',
  ({ time }) => ({
    found: `the federated token expired at ${time}`,
    remedy:
      'Check that kubelet rotates it (a subPath mount never changes) and that the clocks of node and pod agree.',
  }),
);

/**
 * The content of a token file; white space around it is ignored.
 *
 * @throws PgpassdError `federated-token.empty` or `federated-token.malformed`
 */
export function parseFederatedToken(content: string, path: string): FederatedToken {
  const text = content.trim();
  if (text === '') throw errorOf(federatedTokenEmpty({ path }));
  const claims = decodeJwtClaims(text);
  if (claims === undefined) throw errorOf(federatedTokenMalformed({ path }));
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

/**
 * Entra answers an expired assertion with AADSTS700024: no request is sent until kubelet has rotated it.
 *
 * @throws PgpassdError `federated-token.expired`
 */
export function assertUnexpired(federated: FederatedToken, nowMs: number): void {
  if (federated.expiresAtMs === undefined || federated.expiresAtMs > nowMs) return;
  throw errorOf(federatedTokenExpired({ time: new Date(federated.expiresAtMs).toISOString() }));
}

export interface Rotation {
  readonly federated: FederatedToken;
  readonly lastSent: FederatedToken | undefined;
  /** Whether the passfile holds an unexpired token. */
  readonly tokenValid: boolean;
  /** Whether the last attempt failed. */
  readonly failing: boolean;
}

/**
 * Whether a rotation is worth an exchange. Kubelet rotates a federated token every hour, while an access
 * token lasts a day, so most rotations are not: only one that may end a failure, or that shows Entra
 * another identity.
 */
export function rotationCallsForRefresh(rotation: Rotation): boolean {
  const { federated, lastSent, tokenValid, failing } = rotation;
  if (lastSent?.assertion.equals(federated.assertion)) return false;
  if (failing) return true;
  if (lastSent === undefined) return false;
  return !tokenValid || !sameIdentity(lastSent.identity, federated.identity);
}

export function sameIdentity(one: FederatedIdentity, other: FederatedIdentity): boolean {
  return (
    one.issuer === other.issuer &&
    one.subject === other.subject &&
    one.audience.length === other.audience.length &&
    one.audience.every((each, index) => each === other.audience[index])
  );
}
