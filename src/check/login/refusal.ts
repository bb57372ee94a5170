import { failure, type Values } from '../../support/errors.ts';
import { type JwtClaims, stringClaim } from '../../support/jwt.ts';
import { formatAddress } from '../../support/network.ts';
import type { Secret } from '../../support/secret.ts';
import { GUID, replaceUnprintable } from '../../support/text.ts';
import { type Finding, wrong } from '../step.ts';
import type { LoginAttempt } from './target.ts';

const registerRole = ({ roleLiteral, oid, type }: Values<'roleLiteral' | 'oid' | 'type'>) => `
  SELECT * FROM pgaadauth_list_principals(false);
  SELECT * FROM pgaadauth_create_principal_with_oid(${roleLiteral}, '${oid}', '${type}', false, false);`;

const relabelRole = ({ roleIdentifier, oid, type }: Values<'roleIdentifier' | 'oid' | 'type'>) => `
  SECURITY LABEL FOR "pgaadauth" ON ROLE ${roleIdentifier} IS 'aadauth,oid=${oid},type=${type}';`;

const RUN_AS_ADMINISTRATOR =
  "Connect to database postgres as the server's Microsoft Entra administrator and run";

export const serverRequiresTls = failure<'server' | 'user'>(
  'server-requires-tls',
  'server.refused',
  ({ server, user }) => ({
    found: `${server} accepts ${user} only over TLS`,
    remedy:
      'Set PGSSLMODE=verify-full (or sslmode=verify-full in the connection string); a proxy in between must connect to the server with TLS.',
  }),
);

export const serverRefusesAddress = failure<'server' | 'text'>(
  'server-refuses-address',
  'server.refused',
  ({ server, text }) => ({
    found: `${server} accepts no connections from this address: ${text}`,
    remedy:
      "Add this address to the server's firewall rules (Networking page), or connect through its private endpoint; on a PostgreSQL server of your own, add a hostssl line to pg_hba.conf.",
  }),
);

export const serverAsksPassword = failure<
  'server' | 'method' | 'user' | 'roleLiteral' | 'oid' | 'type' | 'roleIdentifier'
>(
  'server-asks-password',
  'server.refused',
  ({ server, method, user, roleLiteral, oid, type, roleIdentifier }) => ({
    found: `${server} asks ${user} for a password (${method}), not for a token: Entra authentication is off, or the role is not an Entra role`,
    remedy: `Enable Microsoft Entra authentication on the server's Authentication page. ${RUN_AS_ADMINISTRATOR} these lines, or only the last one for an existing role:${registerRole({ roleLiteral, oid, type })}${relabelRole({ roleIdentifier, oid, type })}`,
  }),
);

export const roleMissing = failure<'server' | 'user' | 'oid' | 'roleLiteral' | 'type'>(
  'role-missing',
  'server.refused',
  ({ server, user, oid, roleLiteral, type }) => ({
    found: `${server} has no role ${user} for the token's Entra identity (object id ${oid})`,
    remedy: `Correct the user of the entry, or register the role; one that exists already may belong to another identity, so it is not changed here (see docs/azure.md). ${RUN_AS_ADMINISTRATOR}:${registerRole({ roleLiteral, oid, type })}`,
  }),
);

export const roleOfGroup = failure<'server' | 'user' | 'oid'>(
  'role-of-group',
  'server.refused',
  ({ server, user, oid }) => ({
    found: `role ${user} on ${server} is that of a group, and by the token its identity (object id ${oid}) is no member`,
    remedy:
      'Add the identity to the group in Entra, then let pgpassd request a new token (SIGHUP, or a restart of its container): a token states the groups of the time when it was issued.',
  }),
);

export const roleOtherIdentity = failure<'user' | 'server' | 'oid' | 'roleIdentifier' | 'type'>(
  'role-other-identity',
  'server.refused',
  ({ user, server, oid, roleIdentifier, type }) => ({
    found: `role ${user} on ${server} belongs to a different Entra identity than the token (object id ${oid})`,
    remedy: `Correct the user of the entry or AZURE_CLIENT_ID, or assign the role to this identity. ${RUN_AS_ADMINISTRATOR}:
  SELECT * FROM pgaadauth_list_principals(false);${relabelRole({ roleIdentifier, oid, type })}`,
  }),
);

export const roleOtherType = failure<'user' | 'server' | 'type' | 'roleIdentifier' | 'oid'>(
  'role-other-type',
  'server.refused',
  ({ user, server, type, roleIdentifier, oid }) => ({
    found: `role ${user} on ${server} is registered for a different type of principal than the token (${type})`,
    remedy: `${RUN_AS_ADMINISTRATOR}:
  SELECT * FROM pgaadauth_list_principals(false);${relabelRole({ roleIdentifier, oid, type })}`,
  }),
);

export const passwordRefused = failure<'server' | 'user'>(
  'password-refused',
  'server.refused',
  ({ server, user }) => ({
    found: `${server} rejects the password of ${user}, which is not an Entra token`,
    remedy: 'Correct the user of the entry, or the arguments of the token command.',
  }),
);

export const roleNoLogin = failure<'user' | 'server' | 'roleIdentifier'>(
  'role-no-login',
  'server.refused',
  ({ user, server, roleIdentifier }) => ({
    found: `role ${user} on ${server} is not allowed to log in`,
    remedy: `Run as an administrator of the server:
  ALTER ROLE ${roleIdentifier} LOGIN;`,
  }),
);

export const tokenExpired = failure<'server'>('token-expired', 'server.refused', ({ server }) => ({
  found: `${server} reports that the token has expired`,
  remedy:
    "Read pgpassd's log for why it does not refresh the token; if the token is new, compare the clock of this machine with the correct time.",
}));

export const tokenOtherAudience = failure<'server' | 'resource' | 'audience'>(
  'token-other-audience',
  'server.refused',
  ({ server, resource, audience }) => ({
    found: `${server} expects a token for ${resource}, not for ${audience}`,
    remedy: `Set --scope to ${resource}/.default, or have the token command request ${resource}.`,
  }),
);

export const tokenMangled = failure<'server' | 'length'>(
  'token-mangled',
  'server.refused',
  ({ server, length }) => ({
    found: `${server} cannot parse the token (${length} characters): it was altered or cut`,
    remedy:
      'Check that the line of the passfile, or the output of the token command, holds the complete token and nothing else. libpq before 12.5 cuts a line after 319 bytes and must be updated.',
  }),
);

export const tokenInvalid = failure<'server' | 'text' | 'tenant'>(
  'token-invalid',
  'server.refused',
  ({ server, text, tenant }) => ({
    found: `${server} cannot validate the token: ${text}`,
    remedy: `Check that the token's tenant (${tenant}) is that of the server, which accepts no other. A server in a virtual network must reach Entra: allow egress to the service tag AzureActiveDirectory.`,
  }),
);

export const tokenTooLong = failure<'server' | 'length' | 'text'>(
  'token-too-long',
  'server.refused',
  ({ server, length, text }) => ({
    found: `${server} cannot accept a password of ${length} characters: ${text}`,
    remedy:
      'Connect to port 5432 instead of PgBouncer, which accepts at most 2047 bytes up to version 1.25; or reduce the claims in the token, such as groups.',
  }),
);

export const databaseMissing = failure<'database' | 'server' | 'databaseIdentifier'>(
  'database-missing',
  'server.refused',
  ({ database, server, databaseIdentifier }) => ({
    found: `database ${database} does not exist on ${server}`,
    remedy: `Correct the database of the entry or PGDATABASE, or create it as an administrator of the server:
  SELECT datname FROM pg_database WHERE datallowconn;
  CREATE DATABASE ${databaseIdentifier};`,
  }),
);

export const databaseForbidden = failure<
  'user' | 'database' | 'server' | 'databaseIdentifier' | 'roleIdentifier'
>(
  'database-forbidden',
  'server.refused',
  ({ user, database, server, databaseIdentifier, roleIdentifier }) => ({
    found: `role ${user} is not allowed to connect to database ${database} on ${server}`,
    remedy: `Run as the owner of the database or as an administrator:
  GRANT CONNECT ON DATABASE ${databaseIdentifier} TO ${roleIdentifier};`,
  }),
);

export const serverFull = failure<'server' | 'text'>(
  'server-full',
  'server.refused',
  ({ server, text }) => ({
    found: `${server} accepts no more connections: ${text}`,
    remedy:
      'Close idle connections (pg_stat_activity lists them), use a pool (Azure: PgBouncer on port 6432), or raise the limit.',
  }),
);

export const serverNotReady = failure<'server' | 'text'>(
  'server-not-ready',
  'server.unreachable',
  ({ server, text }) => ({
    found: `${server} accepts no logins at the moment: ${text}`,
    remedy:
      'Wait until the server has started or recovered, and check again; if it does not, look at its health in the portal.',
  }),
);

export const serverRefuses = failure<'server' | 'user' | 'sqlstate' | 'text'>(
  'server-refuses',
  'server.refused',
  ({ server, user, sqlstate, text }) => ({
    found: `${server} rejects ${user} (SQLSTATE ${sqlstate}): ${text}`,
    remedy:
      "Read the server's log, and look up the SQLSTATE in appendix A of PostgreSQL's documentation.",
  }),
);

/** An ErrorResponse of the server, as pg-protocol parses it. */
interface ServerRefusal extends Error {
  readonly severity: string;
  /** The SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html */
  readonly code: string;
}

export function isServerRefusal(error: unknown): error is ServerRefusal {
  return (
    error instanceof Error &&
    'severity' in error &&
    'code' in error &&
    typeof error.severity === 'string' &&
    typeof error.code === 'string'
  );
}

/**
 * What a refusal means by its text: PostgreSQL's (auth.c, miscinit.c, postinit.c), and those observed
 * from Azure's servers about tokens, whose SQLSTATEs are not documented. The first match counts.
 */
const byText = [
  [/access token has expired/i, tokenExpired],
  [/valid audience claim/i, tokenOtherAudience],
  [/access token has invalid format/i, tokenMangled],
  [/validating the access token/i, tokenInvalid],
  [/oid mismatch for role/i, roleOtherIdentity],
  [/cannot generate AAD_AUTH_TOKENTYPE_\w+ tokens for role/i, roleOtherType],
  [/neither an APP_USER or an APP_OBO/i, roleOtherType],
  [/does not contain group ID/i, roleOfGroup],
  [/partial pkt in startup|password too long/i, tokenTooLong],
  [/no pg_hba\.conf entry.*, (?:no encryption|SSL off)$/i, serverRequiresTls],
  [/pg_hba\.conf (?:entry|rejects)/i, serverRefusesAddress],
  [/^role ".*" does not exist$/i, roleMissing],
  [/^role ".*" is not permitted to log in$/i, roleNoLogin],
  [/^permission denied for database "/i, databaseForbidden],
] as const;

const bySqlstate = [
  [/^3D000$/, databaseMissing],
  [/^53300$/, serverFull],
  [/^57P0[123]$/, serverNotReady],
] as const;

/** The text of auth.c for a role without this password, for an unknown role, and for one without a password. */
const WRONG_PASSWORD = /^password authentication failed for user "/;

/** What the server's refusal means. SQL that changes a role is given only for a text that is understood. */
export function explainServerRefusal(refusal: ServerRefusal, attempt: LoginAttempt): Finding {
  const kind = kindOf(refusal, attempt);
  return wrong('login', kind(valuesOf(refusal, attempt)));
}

function kindOf({ code, message }: ServerRefusal, { asked, token }: LoginAttempt) {
  const known = byText.find(([text]) => text.test(message))?.[1];
  if (known !== undefined) return known;
  if (code !== '28P01' || !WRONG_PASSWORD.test(message)) {
    return bySqlstate.find(([state]) => state.test(code))?.[1] ?? serverRefuses;
  }
  if (asked !== undefined) return serverAsksPassword;
  return token.jwtClaims() === undefined ? passwordRefused : roleMissing;
}

/** The values that the sentences name. */
function valuesOf({ code, message }: ServerRefusal, attempt: LoginAttempt) {
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

/** The claims are not verified, and this one is pasted into SQL. */
function objectIdIn(claims: JwtClaims): string {
  const oid = stringClaim(claims, 'oid') ?? '';
  return GUID.test(oid) ? oid : '<object id>';
}

function resourceIn(message: string): string {
  const [, resource] = /resource "(https:\/\/[\w.-]{1,200})\/?"/.exec(message) ?? [];
  return resource ?? 'https://ossrdbms-aad.database.windows.net';
}

const LONGEST_READ = 4000;
const LONGEST_SHOWN = 300;

/** Text of a server as it may be shown: printable, of bounded length, without any piece of `token`. */
export function quote(text: string, token: Secret): string {
  const clean = token.redactFrom(replaceUnprintable(text.slice(0, LONGEST_READ)));
  return clean.length > LONGEST_SHOWN ? `${clean.slice(0, LONGEST_SHOWN)}…` : clean;
}

/** https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-STRINGS */
function sqlLiteral(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`;
  // Correct whether or not standard_conforming_strings is on.
  return text.includes('\\') ? `E${quoted.replaceAll('\\', '\\\\')}` : quoted;
}

/** https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS */
function sqlIdentifier(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}
