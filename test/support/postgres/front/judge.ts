import type { Fatal } from './wire.ts';

interface LoginAttempt {
  user: string;
  database: string;
  password: string;
}

export type Verdict = 'ok' | Fatal;

export type Judge = (attempt: LoginAttempt) => Verdict | Promise<Verdict>;

/** The claims the server looks at; which of them a token really has is for the judge to find out. */
export interface AccessTokenClaims {
  aud?: unknown;
  exp?: unknown;
  oid?: unknown;
}

export interface TokenJudgeOptions {
  /** Checks the signature alone, and throws on a token that the tenant did not sign. */
  verifyAccessToken: (token: string) => Promise<AccessTokenClaims>;
  /** Role name → object id, as `pgaadauth_create_principal_with_oid` registers them. */
  roles: ReadonlyMap<string, string>;
  audience?: string;
  now: () => number;
}

export const azureAudience = 'https://ossrdbms-aad.database.windows.net';

/** Lets in any token that is good now, not only the newest. */
export function tokenJudge(options: TokenJudgeOptions): Judge {
  const { verifyAccessToken, roles, audience = azureAudience, now } = options;
  return async ({ user, password }) => {
    const claims = await verifyAccessToken(password).catch(() => undefined);
    return judgeClaims({ claims, audience, user, oid: roles.get(user), nowMs: now() });
  };
}

/** For passwords that are no tokens: each role has a fixed one. */
export function passwordJudge(passwords: ReadonlyMap<string, string>): Judge {
  return ({ user, password }) =>
    passwords.has(user) && passwords.get(user) === password ? 'ok' : authenticationFailed(user);
}

/** `claims` is undefined where the signature is not the tenant's. */
export function judgeClaims(question: {
  claims: AccessTokenClaims | undefined;
  audience: string;
  user: string;
  oid: string | undefined;
  nowMs: number;
}): Verdict {
  const { claims, audience, user, oid, nowMs } = question;
  if (typeof claims?.exp !== 'number') return invalidFormat;
  if (claims.aud !== audience) return wrongAudience(audience);
  if (claims.exp * 1_000 <= nowMs) return expired;
  if (oid === undefined || claims.oid !== oid) return authenticationFailed(user);
  return 'ok';
}

const invalidFormat = rejection(
  'The access token has invalid format. Please ensure the token is passed exactly as returned ' +
    'by the authentication endpoint and retry.',
);

const expired = rejection('The access token has expired. Please acquire a new token and retry');

function wrongAudience(audience: string): Fatal {
  return rejection(
    'The access token does not have a valid audience claim. ' +
      `Please acquire a new token for the resource "${audience}"`,
  );
}

function authenticationFailed(user: string): Fatal {
  return rejection(`password authentication failed for user "${user}"`);
}

function rejection(message: string): Fatal {
  return { sqlstate: '28P01', message };
}
