import { cause } from '../support/cause.ts';

export const otherAudience = cause(
  'access-token-audience',
  'entra.bad-answer',
  'the access token is for {claim}, and not for the resource in --scope {setting}',
  'Check --scope (PGPASSD_SCOPE), and scope and resource in --token-param; then what AZURE_AUTHORITY_HOST or --token-endpoint leads to.',
);

export const otherTenant = cause(
  'access-token-tenant',
  'entra.bad-answer',
  'the access token is of tenant {claim}, and not of {setting}',
  'Check AZURE_TENANT_ID (--tenant-id), and the tenant in --token-endpoint if that is set.',
);

export const otherClient = cause(
  'access-token-client',
  'entra.bad-answer',
  'the access token is for client {claim}, and not for {setting}',
  'Check AZURE_CLIENT_ID (--client-id), and client_id in --token-param; then what AZURE_AUTHORITY_HOST or --token-endpoint leads to.',
);
