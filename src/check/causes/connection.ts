import { failure } from '../../support/failure.ts';

const RIGHT_PORT =
  'Correct the host and port of the entry: 5432, or 6432 for the PgBouncer of a flexible server';

export const clientRefuses = failure<'why'>('client-refuses', 'server.unreachable', ({ why }) => ({
  found: `libpq refuses to connect, and this was not tried: ${why}`,
  remedy:
    'Correct the variable, or the same in the service of PGSERVICE; what the connection string says comes before both.',
}));

export const serverName = failure<'host' | 'why'>(
  'server-name',
  'server.unreachable',
  ({ host, why }) => ({
    found: `${host} does not resolve to an address (${why})`,
    remedy:
      'Correct the host of the entry or the DNS of the pod; a private name resolves only where its private DNS zone is linked to the virtual network.',
  }),
);

export const serverRefusesConnections = failure<'server' | 'address'>(
  'server-refuses-connections',
  'server.unreachable',
  ({ server, address }) => ({
    found: `${server} refuses connections at ${address}`,
    remedy: `${RIGHT_PORT}. See whether the server is started, and whether a NetworkPolicy or a firewall refuses in its name.`,
  }),
);

export const serverNoRoute = failure<'server' | 'address' | 'why' | 'port'>(
  'server-no-route',
  'server.unreachable',
  ({ server, address, why, port }) => ({
    found: `no connection to ${server} can be made at ${address} (${why})`,
    remedy: `Let the pod reach the server's port ${port}: egress in NetworkPolicies and network security groups, the server's firewall rules, or its private endpoint. When this is not the address it should have, look at the private DNS zone.`,
  }),
);

export const serverSilent = failure<'server' | 'address' | 'seconds'>(
  'server-silent',
  'server.unreachable',
  ({ server, address, seconds }) => ({
    found: `${server} takes connections at ${address}, but says nothing for ${seconds} s`,
    remedy: `${RIGHT_PORT}. A firewall or proxy in between may let the connection through and nothing else; a server without any resources left behaves so, too.`,
  }),
);

export const serverCutOff = failure<'server' | 'when'>(
  'server-cut-off',
  'server.unreachable',
  ({ server, when }) => ({
    found: `${server} breaks the connection off ${when}`,
    remedy:
      'See whether the server is starting or stopping, and whether a proxy, gateway or firewall in between ends the connection; when it was the server, its log says why.',
  }),
);

export const serverNotPostgres = failure<'server'>(
  'server-not-postgresql',
  'server.unreachable',
  ({ server }) => ({
    found: `what answers at ${server} does not speak the protocol of PostgreSQL`,
    remedy: `${RIGHT_PORT}.`,
  }),
);

export const serverFailed = failure<'server' | 'why'>(
  'server-failed',
  'server.unreachable',
  ({ server, why }) => ({
    found: `the login to ${server} fails (${why})`,
    remedy: "Look at the server's log, and at proxies and firewalls in between.",
  }),
);

export const sslmodeWithoutTls = failure<'sslmode' | 'server'>(
  'sslmode-without-tls',
  'server.refused',
  ({ sslmode, server }) => ({
    found: `PGSSLMODE=${sslmode} lets a client send the token to ${server} in the clear; this was not tried`,
    remedy:
      'Set PGSSLMODE=verify-full (or sslmode=verify-full in the connection string), and PGSSLROOTCERT=system, or with a libpq before 16 to a file of CAs.',
  }),
);

export const serverWithoutTls = failure<'server'>(
  'server-without-tls',
  'server.refused',
  ({ server }) => ({
    found: `${server} has no TLS, and a token is not sent without it`,
    remedy:
      'Switch TLS on at the server (ssl = on; Azure has it on always), or connect to the server itself instead of a proxy without it.',
  }),
);

export const serverTlsFailed = failure<'server' | 'why'>(
  'server-tls-failed',
  'server.unreachable',
  ({ server, why }) => ({
    found: `no TLS can be agreed on with ${server} (${why})`,
    remedy:
      'See whether the server speaks TLS 1.2 or later, and whether a proxy in between interferes.',
  }),
);

export const serverUntrusted = failure<'server' | 'roots' | 'why'>(
  'server-untrusted',
  'server.refused',
  ({ server, roots, why }) => ({
    found: `${server} shows a certificate that ${roots} do not vouch for (${why})`,
    remedy:
      'Set PGSSLROOTCERT to "system" or to a file with the CAs of the server: DigiCert Global Root G2 and Microsoft RSA Root Certificate Authority 2017 for Azure. If they are there, somebody is in between.',
  }),
);

export const serverCertificateDates = failure<'server' | 'why'>(
  'server-certificate-dates',
  'server.refused',
  ({ server, why }) => ({
    found: `${server} shows a certificate that ${why}`,
    remedy:
      'Compare the clock of this machine with the true time; when it is right, the certificate has to be renewed.',
  }),
);

export const serverOtherName = failure<'server' | 'names'>(
  'server-other-name',
  'server.refused',
  ({ server, names }) => ({
    found: `${server} shows a certificate for other names: ${names}`,
    remedy:
      'Name the host in the entry and in the client as the certificate does: for Azure <server>.postgres.database.azure.com, over a private endpoint too. An address goes to PGHOSTADDR, not to the host.',
  }),
);

export const rootCertUnusable = failure<'path' | 'why'>(
  'root-cert',
  'server.refused',
  ({ path, why }) => ({
    found: `the file of CAs ${path} ${why}`,
    remedy:
      'Set PGSSLROOTCERT to "system" (libpq 16 or later) or to a readable file of PEM certificates. Where it is not set, PGSSLMODE=verify-full makes libpq insist on ~/.postgresql/root.crt.',
  }),
);
