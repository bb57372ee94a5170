import { randomUUID } from 'node:crypto';
import { compactVerify, type JWTPayload } from 'jose';
import type { Directory } from './directory.ts';
import { onceSigningKey, signJwt } from './signing-key.ts';

export interface IssuedAccessToken {
  readonly token: string;
  readonly expiresAtMs: number;
}

export interface AccessTokenShape {
  readonly lifetimeSeconds: number;
  /** How far before the exchange `iat` and `nbf` lie; Entra grants other clocks five minutes. */
  readonly backdateSeconds: number;
  /** A token that would come out shorter is padded to about this many bytes. */
  readonly bytes?: number | undefined;
}

export interface AccessTokenClaims extends JWTPayload {
  readonly aud: string;
  readonly iss: string;
  readonly iat: number;
  readonly nbf: number;
  readonly exp: number;
  readonly appid: string;
  readonly oid: string;
  readonly sub: string;
  readonly tid: string;
  readonly idtyp: 'app';
  readonly uti: string;
  readonly ver: '1.0';
}

const entraKey = onceSigningKey('entra-key-1');

export async function issueAccessToken(
  directory: Directory,
  resource: string,
  shape: AccessTokenShape,
  nowMs: number,
): Promise<IssuedAccessToken> {
  const claims = accessTokenClaims(directory, resource, shape, nowMs);
  const token = await sign(claims);
  return {
    token: token.length < (shape.bytes ?? 0) ? await signPadded(claims, token, shape.bytes) : token,
    expiresAtMs: claims.exp * 1000,
  };
}

/** Checks the signature and nothing else: expiry and audience are for the resource to judge. */
export async function verifyAccessToken(token: string): Promise<AccessTokenClaims> {
  const { publicKey } = await entraKey();
  const { payload } = await compactVerify(token, publicKey, { algorithms: ['RS256'] });
  return JSON.parse(new TextDecoder().decode(payload)) as AccessTokenClaims;
}

function accessTokenClaims(
  directory: Directory,
  resource: string,
  shape: AccessTokenShape,
  nowMs: number,
): AccessTokenClaims {
  const nowSeconds = Math.floor(nowMs / 1000);
  const issuedAt = nowSeconds - shape.backdateSeconds;
  const issuer = `https://sts.windows.net/${directory.tenantId}/`;
  return {
    aud: resource,
    iss: issuer,
    iat: issuedAt,
    nbf: issuedAt,
    exp: nowSeconds + shape.lifetimeSeconds,
    appid: directory.clientId,
    appidacr: '2',
    idp: issuer,
    idtyp: 'app',
    oid: directory.objectId,
    sub: directory.objectId,
    tid: directory.tenantId,
    uti: randomUUID(),
    ver: '1.0',
  };
}

const sign = async (claims: JWTPayload): Promise<string> =>
  signJwt(claims, await entraKey(), { typ: 'JWT' });

/** Base64url carries three bytes in four characters. */
function signPadded(claims: JWTPayload, token: string, bytes = 0): Promise<string> {
  const frame = ',"xms_padding":""'.length;
  const missing = Math.floor(((bytes - token.length) * 3) / 4) - frame;
  return sign({ ...claims, xms_padding: 'x'.repeat(Math.max(missing, 0)) });
}
