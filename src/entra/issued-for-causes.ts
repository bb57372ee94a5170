import { failure } from '../support/failure.ts';

export const otherAudience = failure<'claim' | 'setting'>(
  'access-token-audience',
  'entra.bad-answer',
  ({ claim, setting }) => ({
    found: `the access token is for ${claim}, and not for the resource in --scope ${setting}`,
    remedy:
      'Check --scope (PGPASSD_SCOPE), and scope and resource in --token-param; then what AZURE_AUTHORITY_HOST or --token-endpoint leads to.',
  }),
);

export const otherTenant = failure<'claim' | 'setting'>(
  'access-token-tenant',
  'entra.bad-answer',
  ({ claim, setting }) => ({
    found: `the access token is of tenant ${claim}, and not of ${setting}`,
    remedy:
      'Check AZURE_TENANT_ID (--tenant-id), and the tenant in --token-endpoint if that is set.',
  }),
);

export const otherClient = failure<'claim' | 'setting'>(
  'access-token-client',
  'entra.bad-answer',
  ({ claim, setting }) => ({
    found: `the access token is for client ${claim}, and not for ${setting}`,
    remedy:
      'Check AZURE_CLIENT_ID (--client-id), and client_id in --token-param; then what AZURE_AUTHORITY_HOST or --token-endpoint leads to.',
  }),
);
