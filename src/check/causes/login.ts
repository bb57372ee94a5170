import { cause } from '../../support/cause.ts';

const REGISTER = `
  SELECT * FROM pgaadauth_list_principals(false);
  SELECT * FROM pgaadauth_create_principal_with_oid({roleLiteral}, '{oid}', '{type}', false, false);`;

const RELABEL = `
  SECURITY LABEL FOR "pgaadauth" ON ROLE {roleIdentifier} IS 'aadauth,oid={oid},type={type}';`;

const RUN_AS_ADMINISTRATOR =
  "Let the server's Microsoft Entra administrator run in database postgres";

export const serverRequiresTls = cause(
  'server-requires-tls',
  'server.refused',
  '{server} lets {user} in over TLS only',
  'Set PGSSLMODE=verify-full (or sslmode=verify-full in the connection string); a proxy in between must use TLS to the server.',
);

export const serverRefusesAddress = cause(
  'server-refuses-address',
  'server.refused',
  '{server} lets nobody in from here: {text}',
  "Add this address to the server's firewall rules (Networking page), or connect over its private endpoint; in a PostgreSQL of your own, add a hostssl line to pg_hba.conf.",
);

export const serverAsksPassword = cause(
  'server-asks-password',
  'server.refused',
  '{server} wants a password ({method}) and no token of {user}: Entra authentication is off, or the role is no Entra role',
  `Enable Microsoft Entra authentication on the server's Authentication page. ${RUN_AS_ADMINISTRATOR}; the last line is for a role that exists already:${REGISTER}${RELABEL}`,
);

export const serverAuthMethod = cause(
  'server-auth-method',
  'server.refused',
  '{server} wants a way to authenticate that takes no password (type {type})',
  'Enable Microsoft Entra authentication on the server, or in a PostgreSQL of your own use a method of pg_hba.conf that takes the token.',
);

export const roleMissing = cause(
  'role-missing',
  'server.refused',
  "{server} has no role {user} for the token's Entra identity (object id {oid})",
  `Correct the user of the entry, or register the role. ${RUN_AS_ADMINISTRATOR}; the last line is for a role that exists already:${REGISTER}${RELABEL}`,
);

export const roleOtherIdentity = cause(
  'role-other-identity',
  'server.refused',
  "role {user} on {server} belongs to another Entra identity than the token's (object id {oid})",
  `Correct the user of the entry or AZURE_CLIENT_ID, or give the role to this identity. ${RUN_AS_ADMINISTRATOR}:
  SELECT * FROM pgaadauth_list_principals(false);${RELABEL}`,
);

export const roleOtherType = cause(
  'role-other-type',
  'server.refused',
  "role {user} on {server} is registered for another type of principal than the token's ({type})",
  `${RUN_AS_ADMINISTRATOR}:
  SELECT * FROM pgaadauth_list_principals(false);${RELABEL}`,
);

export const passwordRefused = cause(
  'password-refused',
  'server.refused',
  '{server} refuses {user} with this password, which is no token of Entra',
  'Correct the user of the entry, or what the token command is asked for.',
);

export const roleNoLogin = cause(
  'role-no-login',
  'server.refused',
  'role {user} on {server} may not log in',
  `Let an administrator of the server run:
  ALTER ROLE {roleIdentifier} LOGIN;`,
);

export const tokenExpired = cause(
  'token-expired',
  'server.refused',
  '{server} says that the token has expired',
  "Look at pgpassd's log for why it does not refresh; when the token is fresh, compare the clock of this machine with the true time.",
);

export const tokenOtherAudience = cause(
  'token-other-audience',
  'server.refused',
  '{server} wants a token for {resource}, not for {audience}',
  'Set --scope to {resource}/.default, or let the token command ask for {resource}.',
);

export const tokenMangled = cause(
  'token-mangled',
  'server.refused',
  '{server} cannot read the token ({length} characters): it is not as Entra issued it',
  'See that the token is whole and alone: on one line of the passfile, and in what a token command prints. A libpq before 12.5 cuts a line after 319 bytes and must be updated.',
);

export const tokenInvalid = cause(
  'token-invalid',
  'server.refused',
  '{server} cannot validate the token: {text}',
  "Compare the token's tenant ({tenant}) with the server's, which takes only its own. A server in a virtual network must reach Entra: allow it egress to the service tag AzureActiveDirectory.",
);

export const tokenTooLong = cause(
  'token-too-long',
  'server.refused',
  '{server} cannot take a password of {length} characters: {text}',
  'Connect to port 5432 instead of PgBouncer, which up to 1.25 takes 2047 bytes; or let the token have fewer claims, such as groups.',
);

export const databaseMissing = cause(
  'database-missing',
  'server.refused',
  'there is no database {database} on {server}',
  `Correct the database of the entry or PGDATABASE, or let an administrator of the server create it:
  SELECT datname FROM pg_database WHERE datallowconn;
  CREATE DATABASE {databaseIdentifier};`,
);

export const databaseForbidden = cause(
  'database-forbidden',
  'server.refused',
  'role {user} may not connect to database {database} on {server}',
  `Let the owner of the database or an administrator run:
  GRANT CONNECT ON DATABASE {databaseIdentifier} TO {roleIdentifier};`,
);

export const serverFull = cause(
  'server-full',
  'server.refused',
  '{server} has no connection left: {text}',
  'Close idle connections (pg_stat_activity shows them), pool them (Azure: PgBouncer on port 6432), or raise the limit.',
);

export const serverNotReady = cause(
  'server-not-ready',
  'server.unreachable',
  '{server} takes no logins right now: {text}',
  'Wait until the server has started or recovered and check again; if it lasts, look at its health in the portal.',
);

export const serverRefuses = cause(
  'server-refuses',
  'server.refused',
  '{server} refuses {user} (SQLSTATE {sqlstate}): {text}',
  "Look at the server's log, and the SQLSTATE up in appendix A of PostgreSQL's documentation.",
);
