/** The payload of a JWT. Its signature is not verified: good enough for our own schedule and for messages. */
export type JwtClaims = Readonly<Record<string, unknown>>;

/** Header, payload and signature, each base64url: RFC 7519 section 3, RFC 7515 section 7.1. */
const COMPACT_JWS = /^[\w-]+\.([\w-]+)\.[\w-]+$/;

/** The claims of a JWT in compact form, or `undefined` when `text` is not one. */
export function decodeJwtClaims(text: string): JwtClaims | undefined {
  const payload = COMPACT_JWS.exec(text)?.[1];
  if (payload === undefined) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    return isRecord(claims) ? claims : undefined;
  } catch {
    return undefined;
  }
}

/** ECMAScript dates end here: https://tc39.es/ecma262/#sec-time-values-and-time-range */
const LATEST_DATE_MS = 8.64e15;

/** A NumericDate claim (seconds since the epoch, RFC 7519 section 2) in milliseconds, if it is a date. */
export function numericDateMs(claims: JwtClaims, name: string): number | undefined {
  const seconds = claims[name];
  if (typeof seconds !== 'number') return undefined;
  return Math.abs(seconds * 1000) <= LATEST_DATE_MS ? seconds * 1000 : undefined;
}

export function stringClaim(claims: JwtClaims, name: string): string | undefined {
  const value = claims[name];
  return typeof value === 'string' ? value : undefined;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
