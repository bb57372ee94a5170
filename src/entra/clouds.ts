/**
 * The scope that names Azure Database for PostgreSQL in each cloud, by authority host: the
 * `ossrdbmsResourceId` of `az cloud show`, and the hosts that MSAL knows for each cloud.
 */
const clouds = [
  {
    hosts: [
      'login.microsoftonline.com',
      'login.windows.net',
      'login.microsoft.com',
      'sts.windows.net',
    ],
    scope: 'https://ossrdbms-aad.database.windows.net/.default',
  },
  {
    hosts: ['login.microsoftonline.us', 'login.usgovcloudapi.net'],
    scope: 'https://ossrdbms-aad.database.usgovcloudapi.net/.default',
  },
  {
    hosts: ['login.partner.microsoftonline.cn', 'login.chinacloudapi.cn'],
    scope: 'https://ossrdbms-aad.database.chinacloudapi.cn/.default',
  },
] as const;

/** The scope to ask an authority for; `undefined` for an authority we do not know. */
export function scopeOf(authorityHost: URL): string | undefined {
  return clouds.find(({ hosts }) => hosts.some((host) => host === authorityHost.hostname))?.scope;
}
