import { describe, expect, test } from 'vitest';
import type { TransportKind } from '../../src/entra/transport.ts';
import { explainTransportError } from '../../src/entra/transport-failure.ts';

const kinds: readonly TransportKind[] = ['direct', 'token-proxy'];
const url = 'https://login.microsoftonline.com:8443/tenant/oauth2/v2.0/token';

const coded = (code: string, cause?: unknown) =>
  Object.assign(new Error('something of the request', { cause }), { code });

describe('a request without an answer', () => {
  test.each([
    ['ENOTFOUND', 'entra.unreachable', 'does not resolve', 'DNS'],
    ['EAI_AGAIN', 'entra.unreachable', 'does not resolve', 'DNS'],
    ['ECONNREFUSED', 'entra.unreachable', 'no connection', 'egress'],
    ['EHOSTUNREACH', 'entra.unreachable', 'no connection', 'egress'],
    ['ENETUNREACH', 'entra.unreachable', 'no connection', 'egress'],
    ['ETIMEDOUT', 'entra.unreachable', 'no connection', 'egress'],
    ['UND_ERR_CONNECT_TIMEOUT', 'entra.unreachable', 'no connection', 'egress'],
    ['ECONNRESET', 'entra.unreachable', 'was closed', 'retries'],
    ['EPIPE', 'entra.unreachable', 'was closed', 'retries'],
    ['UND_ERR_SOCKET', 'entra.unreachable', 'was closed', 'retries'],
    ['UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'entra.unreachable', 'was closed', 'retries'],
    ['UND_ERR_ABORTED', 'entra.unreachable', 'HTTP proxy refuses', 'HTTPS_PROXY'],
    ['UND_ERR_PRX_CONN', 'entra.unreachable', 'HTTP proxy closed', 'HTTPS_PROXY'],
    ['UND_ERR_PRX_TLS', 'entra.untrusted', "HTTP proxy's certificate", '--ca-file'],
    ['CERT_HAS_EXPIRED', 'entra.untrusted', 'expired', '--ca-file'],
    ['CERT_NOT_YET_VALID', 'entra.untrusted', 'clocks', '--ca-file'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'entra.untrusted', 'self-signed', '--ca-file'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'entra.untrusted', 'unknown CA', '--ca-file'],
    ['UNABLE_TO_GET_ISSUER_CERT', 'entra.untrusted', 'unknown CA', '--ca-file'],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'entra.untrusted', 'unknown CA', '--ca-file'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'entra.untrusted', 'unknown CA', '--ca-file'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'entra.untrusted', 'another name', '--ca-file'],
    ['E_UNHEARD_OF', 'entra.unreachable', 'E_UNHEARD_OF', 'retries'],
  ])('for %s is %s: %s', (code, expected, what, remedy) => {
    const error = explainTransportError(coded(code), url, 'direct');
    expect(error.code).toBe(expected);
    expect(error.message).toContain('login.microsoftonline.com:8443');
    expect(error.message).toContain(what);
    expect(error.remedy).toContain(remedy);
  });

  test.each([
    ['ENOTFOUND', 'AZURE_KUBERNETES_TOKEN_PROXY'],
    ['ECONNREFUSED', 'AZURE_KUBERNETES_TOKEN_PROXY'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'AZURE_KUBERNETES_SNI_NAME'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'AZURE_KUBERNETES_CA_FILE'],
  ])('for %s points to the settings of the token proxy when that was asked', (code, setting) => {
    const { remedy } = explainTransportError(coded(code), url, 'token-proxy');
    expect(remedy).toContain(setting);
    expect(remedy).not.toContain('--');
  });

  test.each(kinds)('has a remedy for the %s transport, too, when the connection closed', (kind) => {
    expect(explainTransportError(coded('ECONNRESET'), url, kind).remedy).toContain('retries');
  });

  const refused = coded('ECONNREFUSED');

  test.each<[string, unknown]>([
    ['of the cause', new TypeError('fetch failed', { cause: refused })],
    ['deep among the causes', new Error('one', { cause: new Error('two', { cause: refused }) })],
    ['of one of the addresses tried', new AggregateError([new Error('first'), refused])],
    ['beneath a cause', new Error('one', { cause: new AggregateError([refused]) })],
    ['of the first address with one', new AggregateError([refused, coded('ENOTFOUND')])],
  ])('is explained by the code %s', (_case, error) => {
    expect(explainTransportError(error, url, 'direct').message).toContain('no connection');
  });

  test.each<[string, unknown]>([
    ['is an error without a code', new Error('something')],
    ['is no error', 'something'],
    ['is nothing', undefined],
  ])('is unreachable too when what is thrown %s', (_case, thrown) => {
    const error = explainTransportError(thrown, url, 'direct');
    expect(error.code).toBe('entra.unreachable');
    expect(error.message).toContain('unknown error');
  });

  test('is explained even when its causes are circular', () => {
    const error = new Error('round');
    error.cause = error;
    expect(explainTransportError(error, url, 'direct').code).toBe('entra.unreachable');
  });

  test('is explained without the text of the error, which may quote the request', () => {
    const { message, remedy } = explainTransportError(coded('E_UNHEARD_OF'), url, 'direct');
    expect(message + remedy).not.toContain('something of the request');
    expect(message + remedy).not.toContain('/tenant/');
  });
});
