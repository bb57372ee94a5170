import { decodeJwtClaims, type JwtClaims, numericDateMs } from '../support/jwt.ts';
import { Secret } from '../support/secret.ts';
import type { Steps } from '../support/steps.ts';
import { parseLine, rawLines } from './format.ts';
import type { PassfileLayout } from './layout.ts';

/** A token found in a passfile whose lines are exactly ours. */
export interface AdoptedToken {
  readonly token: Secret;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
}

/**
 * The token of a passfile that an earlier run left in place; `undefined` when the content is not
 * byte for byte what we would write, or when its token does not state its life or is not one that we
 * would request.
 *
 * Entra backdates tokens by some minutes, so the token's life starts when the file was written, if that
 * is later: otherwise a new short-lived token would seem half used up.
 */
export function adoptToken(
  content: Buffer,
  writtenAtMs: number,
  layout: PassfileLayout,
  isOurs: (claims: JwtClaims) => boolean,
): AdoptedToken | undefined {
  const password = layout.passwordIn(content);
  if (password === undefined) return undefined;
  const claims = decodeJwtClaims(password);
  if (claims === undefined || !isOurs(claims)) return undefined;
  const expiresAtMs = numericDateMs(claims, 'exp');
  const issuedAtMs = numericDateMs(claims, 'iat');
  if (expiresAtMs === undefined || issuedAtMs === undefined) return undefined;
  return {
    token: new Secret(password),
    issuedAtMs: Math.max(issuedAtMs, writtenAtMs),
    expiresAtMs,
  };
}

/** Every password in a passfile, no matter which program wrote it. */
export function* passwordsIn(content: Buffer): Steps<readonly Secret[]> {
  const passwords: Secret[] = [];
  for (const { text, pause } of rawLines(content.toString('utf8'))) {
    const line = parseLine(text);
    if (line !== undefined) passwords.push(new Secret(line.password));
    if (pause) yield;
  }
  return passwords;
}
