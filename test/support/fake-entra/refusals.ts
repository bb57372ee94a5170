/** An error answer of the token endpoint, before ids and a timestamp are put on it. */
export interface Refusal {
  readonly status: number;
  readonly error: string;
  readonly code: number;
  readonly text: string;
  /** Further fields of the body: `suberror`, `claims`. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

const invalidRequest = (code: number, text: string): Refusal => ({
  status: 400,
  error: 'invalid_request',
  code,
  text,
});

const invalidScope = (code: number, text: string): Refusal => ({
  status: 400,
  error: 'invalid_scope',
  code,
  text,
});

const invalidClient = (code: number, text: string): Refusal => ({
  status: 401,
  error: 'invalid_client',
  code,
  text,
});

export const wrongMethod = (method: string): Refusal =>
  invalidRequest(900561, `The endpoint only accepts POST requests. Received a ${method} request.`);

export const emptyTenant = (tenant: string): Refusal =>
  invalidRequest(
    900021,
    `Requested tenant identifier '${tenant}' is not valid. Tenant identifiers may not be an` +
      ' empty GUID.',
  );

export const malformedTenant = (tenant: string): Refusal =>
  invalidRequest(
    900023,
    `Specified tenant identifier '${tenant}' is neither a valid DNS name, nor a valid` +
      ' external domain.',
  );

export const unknownTenant = (tenant: string): Refusal => ({
  status: 400,
  error: 'invalid_tenant',
  code: 90002,
  text:
    `Tenant '${tenant}' not found. Check to make sure you have the correct tenant ID and are` +
    ' signing into the correct cloud. Check with your subscription administrator, this may' +
    ' happen if there are no active subscriptions for the tenant.',
});

export const malformedRequest = (): Refusal =>
  invalidRequest(9002313, 'Invalid request. Request is malformed or invalid.');

export const repeatedParameter = (name: string): Refusal =>
  invalidRequest(
    9000411,
    `The request is not properly formatted. The parameter '${name}' is duplicated.`,
  );

export const missingParameter = (name: string): Refusal =>
  invalidRequest(900144, `The request body must contain the following parameter: '${name}'.`);

export const missingCredential = (): Refusal =>
  invalidClient(
    7000218,
    "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
  );

export const wrongClientSecret = (clientId: string): Refusal =>
  invalidClient(
    7000215,
    'Invalid client secret provided. Ensure the secret being sent in the request is the' +
      ` client secret value, not the client secret ID, for a secret added to app '${clientId}'.`,
  );

export const unsupportedGrantType = (grantType: string): Refusal => ({
  status: 400,
  error: 'unsupported_grant_type',
  code: 70003,
  text: `The app requested an unsupported grant type '${grantType}'.`,
});

export const scopeWithoutDefault = (scope: string): Refusal =>
  invalidScope(
    1002012,
    `The provided value for scope ${scope} is not valid. Client credential flows must have a` +
      ' scope value with /.default suffixed to the resource identifier (application ID URI).',
  );

export const severalResources = (scope: string): Refusal =>
  invalidScope(
    28000,
    'Provided value for the input parameter scope is not valid because it contains more than one' +
      ` resource. Scope ${scope} is not valid.`,
  );

export const unknownResource = (resource: string, tenantId: string): Refusal => ({
  status: 400,
  error: 'invalid_resource',
  code: 500011,
  text:
    `The resource principal named ${resource} was not found in the tenant named ${tenantId}.` +
    ' This can happen if the application has not been installed by the administrator of the' +
    ' tenant or consented to by any user in the tenant. You might have sent your' +
    ' authentication request to the wrong tenant.',
});

export const unknownClient = (clientId: string, tenantId: string): Refusal => ({
  status: 400,
  error: 'unauthorized_client',
  code: 700016,
  text:
    `Application with identifier '${clientId}' was not found in the directory '${tenantId}'.` +
    ' This can happen if the application has not been installed by the administrator of the' +
    ' tenant or consented to by any user in the tenant. You may have sent your authentication' +
    ' request to the wrong tenant.',
});

export const noFederatedCredential = (clientId: string): Refusal =>
  invalidClient(
    70025,
    `The client '${clientId}' has no configured federated identity credentials.`,
  );

export const malformedAssertion = (): Refusal =>
  invalidRequest(50027, 'JWT token is invalid or malformed.');

export const forgedAssertion = (issuer: string): Refusal =>
  invalidRequest(
    50027,
    `Invalid JWT token. External ID token from issuer '${issuer}' failed signature verification.`,
  );

export const assertionWithoutKeyId = (): Refusal =>
  invalidRequest(
    5002723,
    'Invalid JWT token. No certificate SHA-1 thumbprint, certificate SHA-256 thumbprint, nor' +
      ' keyId specified in token header.',
  );

export const overlongAssertion = (issuedAtSeconds: number, expiresAtSeconds: number): Refusal =>
  invalidRequest(
    70023,
    'External OIDC Provider token must have a lifetime of less than or equal to 1.01:00:00. Token' +
      ` issued at ${issuedAtSeconds}, expires at ${expiresAtSeconds}.`,
  );

export const unknownSigningKey = (keyId: string, issuer: string): Refusal =>
  invalidClient(
    7000272,
    `The certificate with identifier '${keyId}' used to sign the federated credential could` +
      ` not be found in the metadata of identity provider '${issuer}'.`,
  );

export const assertionOutOfTime = (times: {
  nowMs: number;
  notBeforeMs: number;
  expiresAtMs: number;
}): Refusal =>
  invalidClient(
    700024,
    'Client assertion is not within its valid time range.' +
      ` Current time: ${sevenDigitTime(times.nowMs)},` +
      ` assertion valid from ${sevenDigitTime(times.notBeforeMs)},` +
      ` expiry time of assertion ${sevenDigitTime(times.expiresAtMs)}.` +
      ' Review the documentation at https://docs.microsoft.com/azure/active-directory/develop' +
      '/active-directory-certificate-credentials .',
  );

export const issuerMismatch = (issuer: string): Refusal => noMatch(700211, 'issuer', issuer);
export const audienceMismatch = (audience: string): Refusal =>
  noMatch(700212, 'audience', audience);
export const subjectMismatch = (subject: string): Refusal => noMatch(700213, 'subject', subject);

const noMatch = (code: number, claim: string, value: string): Refusal =>
  invalidClient(
    code,
    `No matching federated identity record found for presented assertion ${claim} '${value}'.` +
      ' Check your federated identity credential Subject, Audience and Issuer against the' +
      ' presented assertion.' +
      ' https://learn.microsoft.com/entra/workload-id/workload-identity-federation',
  );

/** Entra prints .NET's round-trip format, seven digits of a second. */
const sevenDigitTime = (epochMs: number): string =>
  new Date(epochMs).toISOString().replace('Z', '0000Z');
