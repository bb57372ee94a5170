import { failure, type Values } from '../../support/failure.ts';

const registerRole = ({ roleLiteral, oid, type }: Values<'roleLiteral' | 'oid' | 'type'>) => `
  SELECT * FROM pgaadauth_list_principals(false);
  SELECT * FROM pgaadauth_create_principal_with_oid(${roleLiteral}, '${oid}', '${type}', false, false);`;

const relabelRole = ({ roleIdentifier, oid, type }: Values<'roleIdentifier' | 'oid' | 'type'>) => `
  SECURITY LABEL FOR "pgaadauth" ON ROLE ${roleIdentifier} IS 'aadauth,oid=${oid},type=${type}';`;

const RUN_AS_ADMINISTRATOR =
  "Let the server's Microsoft Entra administrator run in database postgres";

export const serverRequiresTls = failure<'server' | 'user'>(
  'server-requires-tls',
  'server.refused',
  ({ server, user }) => ({
    found: `${server} lets ${user} in over TLS only`,
    remedy:
      'Set PGSSLMODE=verify-full (or sslmode=verify-full in the connection string); a proxy in between must use TLS to the server.',
  }),
);

export const serverRefusesAddress = failure<'server' | 'text'>(
  'server-refuses-address',
  'server.refused',
  ({ server, text }) => ({
    found: `${server} lets nobody in from here: ${text}`,
    remedy:
      "Add this address to the server's firewall rules (Networking page), or connect over its private endpoint; in a PostgreSQL of your own, add a hostssl line to pg_hba.conf.",
  }),
);

export const serverAsksPassword = failure<
  'server' | 'method' | 'user' | 'roleLiteral' | 'oid' | 'type' | 'roleIdentifier'
>(
  'server-asks-password',
  'server.refused',
  ({ server, method, user, roleLiteral, oid, type, roleIdentifier }) => ({
    found: `${server} wants a password (${method}) and no token of ${user}: Entra authentication is off, or the role is no Entra role`,
    remedy: `Enable Microsoft Entra authentication on the server's Authentication page. ${RUN_AS_ADMINISTRATOR}; the last line is for a role that exists already:${registerRole({ roleLiteral, oid, type })}${relabelRole({ roleIdentifier, oid, type })}`,
  }),
);

export const serverAuthMethod = failure<'server' | 'type'>(
  'server-auth-method',
  'server.refused',
  ({ server, type }) => ({
    found: `${server} wants a way to authenticate that takes no password (type ${type})`,
    remedy:
      'Enable Microsoft Entra authentication on the server, or in a PostgreSQL of your own use a method of pg_hba.conf that takes the token.',
  }),
);

export const roleMissing = failure<
  'server' | 'user' | 'oid' | 'roleLiteral' | 'type' | 'roleIdentifier'
>('role-missing', 'server.refused', ({ server, user, oid, roleLiteral, type, roleIdentifier }) => ({
  found: `${server} has no role ${user} for the token's Entra identity (object id ${oid})`,
  remedy: `Correct the user of the entry, or register the role. ${RUN_AS_ADMINISTRATOR}; the last line is for a role that exists already:${registerRole({ roleLiteral, oid, type })}${relabelRole({ roleIdentifier, oid, type })}`,
}));

export const roleOtherIdentity = failure<'user' | 'server' | 'oid' | 'roleIdentifier' | 'type'>(
  'role-other-identity',
  'server.refused',
  ({ user, server, oid, roleIdentifier, type }) => ({
    found: `role ${user} on ${server} belongs to another Entra identity than the token's (object id ${oid})`,
    remedy: `Correct the user of the entry or AZURE_CLIENT_ID, or give the role to this identity. ${RUN_AS_ADMINISTRATOR}:
  SELECT * FROM pgaadauth_list_principals(false);${relabelRole({ roleIdentifier, oid, type })}`,
  }),
);

export const roleOtherType = failure<'user' | 'server' | 'type' | 'roleIdentifier' | 'oid'>(
  'role-other-type',
  'server.refused',
  ({ user, server, type, roleIdentifier, oid }) => ({
    found: `role ${user} on ${server} is registered for another type of principal than the token's (${type})`,
    remedy: `${RUN_AS_ADMINISTRATOR}:
  SELECT * FROM pgaadauth_list_principals(false);${relabelRole({ roleIdentifier, oid, type })}`,
  }),
);

export const passwordRefused = failure<'server' | 'user'>(
  'password-refused',
  'server.refused',
  ({ server, user }) => ({
    found: `${server} refuses ${user} with this password, which is no token of Entra`,
    remedy: 'Correct the user of the entry, or what the token command is asked for.',
  }),
);

export const roleNoLogin = failure<'user' | 'server' | 'roleIdentifier'>(
  'role-no-login',
  'server.refused',
  ({ user, server, roleIdentifier }) => ({
    found: `role ${user} on ${server} may not log in`,
    remedy: `Let an administrator of the server run:
  ALTER ROLE ${roleIdentifier} LOGIN;`,
  }),
);

export const tokenExpired = failure<'server'>('token-expired', 'server.refused', ({ server }) => ({
  found: `${server} says that the token has expired`,
  remedy:
    "Look at pgpassd's log for why it does not refresh; when the token is fresh, compare the clock of this machine with the true time.",
}));

export const tokenOtherAudience = failure<'server' | 'resource' | 'audience'>(
  'token-other-audience',
  'server.refused',
  ({ server, resource, audience }) => ({
    found: `${server} wants a token for ${resource}, not for ${audience}`,
    remedy: `Set --scope to ${resource}/.default, or let the token command ask for ${resource}.`,
  }),
);

export const tokenMangled = failure<'server' | 'length'>(
  'token-mangled',
  'server.refused',
  ({ server, length }) => ({
    found: `${server} cannot read the token (${length} characters): it is not as Entra issued it`,
    remedy:
      'See that the token is whole and alone: on one line of the passfile, and in what a token command prints. A libpq before 12.5 cuts a line after 319 bytes and must be updated.',
  }),
);

export const tokenInvalid = failure<'server' | 'text' | 'tenant'>(
  'token-invalid',
  'server.refused',
  ({ server, text, tenant }) => ({
    found: `${server} cannot validate the token: ${text}`,
    remedy: `Compare the token's tenant (${tenant}) with the server's, which takes only its own. A server in a virtual network must reach Entra: allow it egress to the service tag AzureActiveDirectory.`,
  }),
);

export const tokenTooLong = failure<'server' | 'length' | 'text'>(
  'token-too-long',
  'server.refused',
  ({ server, length, text }) => ({
    found: `${server} cannot take a password of ${length} characters: ${text}`,
    remedy:
      'Connect to port 5432 instead of PgBouncer, which up to 1.25 takes 2047 bytes; or let the token have fewer claims, such as groups.',
  }),
);

export const databaseMissing = failure<'database' | 'server' | 'databaseIdentifier'>(
  'database-missing',
  'server.refused',
  ({ database, server, databaseIdentifier }) => ({
    found: `there is no database ${database} on ${server}`,
    remedy: `Correct the database of the entry or PGDATABASE, or let an administrator of the server create it:
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
    found: `role ${user} may not connect to database ${database} on ${server}`,
    remedy: `Let the owner of the database or an administrator run:
  GRANT CONNECT ON DATABASE ${databaseIdentifier} TO ${roleIdentifier};`,
  }),
);

export const serverFull = failure<'server' | 'text'>(
  'server-full',
  'server.refused',
  ({ server, text }) => ({
    found: `${server} has no connection left: ${text}`,
    remedy:
      'Close idle connections (pg_stat_activity shows them), pool them (Azure: PgBouncer on port 6432), or raise the limit.',
  }),
);

export const serverNotReady = failure<'server' | 'text'>(
  'server-not-ready',
  'server.unreachable',
  ({ server, text }) => ({
    found: `${server} takes no logins right now: ${text}`,
    remedy:
      'Wait until the server has started or recovered and check again; if it lasts, look at its health in the portal.',
  }),
);

export const serverRefuses = failure<'server' | 'user' | 'sqlstate' | 'text'>(
  'server-refuses',
  'server.refused',
  ({ server, user, sqlstate, text }) => ({
    found: `${server} refuses ${user} (SQLSTATE ${sqlstate}): ${text}`,
    remedy:
      "Look at the server's log, and the SQLSTATE up in appendix A of PostgreSQL's documentation.",
  }),
);
