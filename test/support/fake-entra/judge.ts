import type { Directory, FederatedCredential } from './directory.ts';
import type { Assertion } from './federated-token.ts';
import type { Form } from './form.ts';
import * as refuse from './refusals.ts';

export interface TokenRequest {
  readonly method: string;
  readonly tenant: string;
  readonly form: Form;
  readonly assertion: Assertion;
}

export type Verdict =
  | { readonly granted: true; readonly resource: string }
  | { readonly granted: false; readonly refusal: refuse.Refusal };

interface Case extends TokenRequest {
  readonly directory: Directory;
  readonly nowMs: number;
}

type Rule = (presented: Case) => refuse.Refusal | undefined;

const jwtBearer = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const defaultSuffix = '/.default';
const longestAssertionSeconds = 25 * 3600;

export function judge(request: TokenRequest, directory: Directory, nowMs: number): Verdict {
  const presented: Case = { ...request, directory, nowMs };
  for (const rule of rules) {
    const refusal = rule(presented);
    if (refusal !== undefined) return { granted: false, refusal };
  }
  return { granted: true, resource: resourceOf(scopeOf(presented)) };
}

const field = ({ form }: Case, name: string): string => form.fields[name] ?? '';
const scopeOf = (presented: Case): string => field(presented, 'scope');
const resourceOf = (scope: string): string => scope.slice(0, -defaultSuffix.length);

const onlyPost: Rule = ({ method }) => (method === 'POST' ? undefined : refuse.wrongMethod(method));

const tenantIsNotTheEmptyGuid: Rule = ({ tenant }) =>
  /^0{8}-(0{4}-){3}0{12}$/.test(tenant) ? refuse.emptyTenant(tenant) : undefined;

const tenantIsGuidOrDomain: Rule = ({ tenant }) => {
  const guid = /^[\da-f]{8}-([\da-f]{4}-){3}[\da-f]{12}$/i;
  const domain = /^[\da-z-]+(\.[\da-z-]+)+$/i;
  return guid.test(tenant) || domain.test(tenant) ? undefined : refuse.malformedTenant(tenant);
};

const tenantExists: Rule = ({ tenant, directory }) =>
  tenant.toLowerCase() === directory.tenantId.toLowerCase()
    ? undefined
    : refuse.unknownTenant(tenant);

const bodyIsEncoded: Rule = ({ form }) => (form.encoded ? undefined : refuse.malformedRequest());

const noParameterTwice: Rule = ({ form: { repeated } }) =>
  repeated[0] === undefined ? undefined : refuse.repeatedParameter(repeated[0]);

const parametersPresent: Rule = (presented) => {
  const missing = ['grant_type', 'client_id', 'scope'].find((name) => !field(presented, name));
  return missing === undefined ? undefined : refuse.missingParameter(missing);
};

const credentialPresent: Rule = (presented) => {
  if (field(presented, 'client_assertion')) return undefined;
  return field(presented, 'client_secret')
    ? refuse.wrongClientSecret(field(presented, 'client_id'))
    : refuse.missingCredential();
};

/** Which code Entra has for another assertion type is not documented. */
const assertionTypeKnown: Rule = (presented) => {
  const type = field(presented, 'client_assertion_type');
  if (type === '') return refuse.missingParameter('client_assertion_type');
  return type === jwtBearer ? undefined : refuse.malformedRequest();
};

const grantTypeSupported: Rule = (presented) => {
  const grantType = field(presented, 'grant_type');
  return grantType === 'client_credentials' ? undefined : refuse.unsupportedGrantType(grantType);
};

/** A scope that was encoded twice arrives here as `https%3A%2F%2F…%2F.default`. */
const scopeIsOneDefault: Rule = (presented) => {
  const scope = scopeOf(presented);
  const parts = scope.split(' ');
  if (!parts.every((part) => part.endsWith(defaultSuffix)))
    return refuse.scopeWithoutDefault(scope);
  return parts.length === 1 ? undefined : refuse.severalResources(scope);
};

const resourceKnown: Rule = (presented) => {
  const resource = resourceOf(scopeOf(presented));
  return presented.directory.resources.includes(resource)
    ? undefined
    : refuse.unknownResource(resource, presented.directory.tenantId);
};

const clientKnown: Rule = (presented) => {
  const clientId = field(presented, 'client_id');
  return clientId.toLowerCase() === presented.directory.clientId.toLowerCase()
    ? undefined
    : refuse.unknownClient(clientId, presented.directory.tenantId);
};

const clientFederated: Rule = ({ directory }) =>
  directory.federatedCredentials.length > 0
    ? undefined
    : refuse.noFederatedCredential(directory.clientId);

const assertionReadable: Rule = ({ assertion }) =>
  assertion.readable ? undefined : refuse.malformedAssertion();

const assertionLifetimeBounded: Rule = ({ assertion }) => {
  const { iat = 0, exp = Number.POSITIVE_INFINITY } = claimsOf(assertion);
  return exp - iat <= longestAssertionSeconds ? undefined : refuse.overlongAssertion(iat, exp);
};

const assertionSigned: Rule = ({ assertion }) => {
  if (!assertion.readable || assertion.signature === 'valid') return undefined;
  const issuer = String(assertion.claims.iss);
  if (assertion.keyId === undefined) return refuse.assertionWithoutKeyId();
  return assertion.signature === 'unknown-key'
    ? refuse.unknownSigningKey(assertion.keyId, issuer)
    : refuse.forgedAssertion(issuer);
};

const assertionInTime: Rule = ({ assertion, nowMs }) => {
  const { iat = 0, nbf = iat, exp = 0 } = claimsOf(assertion);
  const notBeforeMs = nbf * 1000;
  const expiresAtMs = exp * 1000;
  return notBeforeMs <= nowMs && nowMs < expiresAtMs
    ? undefined
    : refuse.assertionOutOfTime({ nowMs, notBeforeMs, expiresAtMs });
};

/** Entra names the first of issuer, subject and audience that no remaining credential shares. */
const federationMatches: Rule = ({ assertion, directory }) => {
  const { iss = '', sub = '', aud = [] } = claimsOf(assertion);
  const audiences = [aud].flat();
  const byIssuer = directory.federatedCredentials.filter(({ issuer }) => issuer === iss);
  if (byIssuer.length === 0) return refuse.issuerMismatch(iss);
  const bySubject = byIssuer.filter(({ subject }) => subject === sub);
  if (bySubject.length === 0) return refuse.subjectMismatch(sub);
  const trusts = ({ audience }: FederatedCredential): boolean => audiences.includes(audience);
  return bySubject.some(trusts) ? undefined : refuse.audienceMismatch(audiences.join(','));
};

const claimsOf = (assertion: Assertion) => (assertion.readable ? assertion.claims : {});

/** The order in which Entra finds fault: the request, the client, then what it presents. */
const rules: readonly Rule[] = [
  onlyPost,
  tenantIsNotTheEmptyGuid,
  tenantIsGuidOrDomain,
  tenantExists,
  bodyIsEncoded,
  noParameterTwice,
  parametersPresent,
  credentialPresent,
  assertionTypeKnown,
  grantTypeSupported,
  scopeIsOneDefault,
  resourceKnown,
  clientKnown,
  clientFederated,
  assertionReadable,
  assertionLifetimeBounded,
  assertionSigned,
  assertionInTime,
  federationMatches,
];
