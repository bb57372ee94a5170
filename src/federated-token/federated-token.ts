import { errorOf, failure, systemErrorCode } from '../support/errors.ts';
import { createFollower, type FileWatcher, type FollowOptions } from '../support/file-watcher.ts';
import { readRegularFile, UnusableFile } from '../support/files.ts';
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

export const federatedTokenMissing = failure<'path'>(
  'federated-token-missing',
  'federated-token.missing',
  ({ path }) => ({
    found: `the federated token file ${path} does not exist`,
    remedy:
      'Check that the pod template carries the label azure.workload.identity/use: "true" and that the volume is mounted here.',
  }),
);

export const federatedTokenUnreadable = failure<'path' | 'problem'>(
  'federated-token-unreadable',
  'federated-token.unreadable',
  ({ path, problem }) => ({
    found: `the federated token file ${path} ${problem}`,
    remedy:
      'Run pgpassd as a user who may read the projected token, and point --federated-token-file at the file itself.',
  }),
);

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

/** Far above any service-account token; a larger file is the wrong file. */
const LARGEST_TOKEN_BYTES = 64 * 1024;

/**
 * The token as it is now; a swap by kubelet during the read is never seen half.
 *
 * @throws PgpassdError `federated-token.*`
 */
export async function readFederatedToken(path: string): Promise<FederatedToken> {
  return parseFederatedToken(await readWhole(path), path);
}

async function readWhole(path: string): Promise<string> {
  try {
    const bytes = await readRegularFile(path, LARGEST_TOKEN_BYTES).catch((error: unknown) => {
      // Kubelet may remove the old directory after its link was resolved, and before the file is opened.
      if (systemErrorCode(error) === 'ENOENT') return readRegularFile(path, LARGEST_TOKEN_BYTES);
      throw error;
    });
    return bytes.toString('utf8');
  } catch (error) {
    throw explain(error, path);
  }
}

function explain(cause: unknown, path: string): unknown {
  const code = systemErrorCode(cause);
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return errorOf(federatedTokenMissing({ path }), { cause });
  }
  if (!(cause instanceof UnusableFile)) return cause;
  return errorOf(federatedTokenUnreadable({ path, problem: cause.message }), { cause });
}

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

type FollowTokenOptions = Pick<
  FollowOptions<FederatedToken>,
  'path' | 'clock' | 'pollIntervalMs' | 'watching' | 'onWatchFailed'
> & {
  /** Called with the first readable token, and with each one that differs from the one before. */
  readonly onToken: FollowOptions<FederatedToken>['onContent'];
};

/**
 * Follows the token file from rotation to rotation. An unreadable file is reported by the refresher when
 * it needs the token; here only changes count.
 */
export function createTokenFollower({ onToken, ...options }: FollowTokenOptions): FileWatcher {
  const same = (one: FederatedToken, other: FederatedToken) =>
    one.assertion.equals(other.assertion);
  return createFollower({ ...options, read: readFederatedToken, same, onContent: onToken });
}
