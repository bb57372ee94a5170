import { type JwtClaims, stringClaim } from '../../support/jwt.ts';
import { formatAddress, GUID } from '../../support/text.ts';
import * as causes from '../causes/login.ts';
import { type Finding, wrong } from '../finding.ts';
import type { LoginAttempt } from './attempt.ts';
import { quote, sqlIdentifier, sqlLiteral } from './quote.ts';

/** An ErrorResponse of the server, as node-postgres throws it. */
interface Refusal extends Error {
  readonly severity: string;
  /** The SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html */
  readonly code: string;
}

export function isRefusal(error: unknown): error is Refusal {
  return (
    error instanceof Error &&
    'severity' in error &&
    'code' in error &&
    typeof error.severity === 'string' &&
    typeof error.code === 'string'
  );
}

/**
 * What a refusal means by its words: PostgreSQL's (auth.c, miscinit.c, postinit.c), and what Azure's
 * servers were seen to say of tokens, whose SQLSTATEs nobody documents. The first one counts.
 */
const byText = [
  [/access token has expired/i, causes.tokenExpired],
  [/valid audience claim/i, causes.tokenOtherAudience],
  [/access token has invalid format/i, causes.tokenMangled],
  [/validating the access token/i, causes.tokenInvalid],
  [/oid mismatch for role/i, causes.roleOtherIdentity],
  [/cannot generate AAD_AUTH_TOKENTYPE_\w+ tokens for role/i, causes.roleOtherType],
  [/partial pkt in startup|password too long/i, causes.tokenTooLong],
  [/no pg_hba\.conf entry.*, (?:no encryption|SSL off)$/i, causes.serverRequiresTls],
  [/pg_hba\.conf (?:entry|rejects)/i, causes.serverRefusesAddress],
  [/^role ".*" does not exist$/i, causes.roleMissing],
  [/^role ".*" is not permitted to log in$/i, causes.roleNoLogin],
] as const;

const bySqlstate = [
  [/^3D000$/, causes.databaseMissing],
  [/^42501$/, causes.databaseForbidden],
  [/^53300$/, causes.serverFull],
  [/^57P0[123]$/, causes.serverNotReady],
] as const;

/** What a server means that would not let us in. */
export function explainRefusal(refusal: Refusal, attempt: LoginAttempt): Finding {
  const kind = kindOf(refusal, attempt);
  return wrong('login', kind(valuesOf(refusal, attempt)));
}

function kindOf({ code, message }: Refusal, { asked, token }: LoginAttempt) {
  const told = byText.find(([words]) => words.test(message))?.[1];
  if (told !== undefined) return told;
  if (code !== '28P01') {
    return bySqlstate.find(([state]) => state.test(code))?.[1] ?? causes.serverRefuses;
  }
  if (asked !== undefined) return causes.serverAsksPassword;
  return token.jwtClaims() === undefined ? causes.passwordRefused : causes.roleMissing;
}

/** The values that the causes' texts name. */
function valuesOf({ code, message }: Refusal, attempt: LoginAttempt) {
  const { target, asked, token } = attempt;
  const claims = token.jwtClaims() ?? {};
  const { user, database } = target;
  const claim = (name: string) => quote(stringClaim(claims, name) ?? 'unknown', token);
  return {
    server: formatAddress(target),
    user,
    database,
    roleLiteral: sqlLiteral(user),
    roleIdentifier: sqlIdentifier(user),
    databaseIdentifier: sqlIdentifier(database),
    text: quote(message, token),
    sqlstate: quote(code, token),
    length: token.length,
    method: asked ?? 'cleartext',
    oid: objectIdIn(claims),
    type: claims['idtyp'] === 'user' || 'upn' in claims ? 'user' : 'service',
    tenant: claim('tid'),
    audience: claim('aud'),
    resource: resourceIn(message),
  };
}

/** Nobody verified the claims, and this one is to be pasted into SQL. */
function objectIdIn(claims: JwtClaims): string {
  const oid = stringClaim(claims, 'oid') ?? '';
  return GUID.test(oid) ? oid : '<object id>';
}

function resourceIn(message: string): string {
  const [, told] = /resource "(https:\/\/[\w.-]{1,200})\/?"/.exec(message) ?? [];
  return told ?? 'https://ossrdbms-aad.database.windows.net';
}
