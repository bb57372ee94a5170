/** A JWT in compact form without a valid signature. */
export function unsignedJwt(claims: unknown): string {
  return [{ alg: 'RS256', typ: 'JWT', kid: 'key-1' }, claims, { signed: 'by nobody' }]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
}
