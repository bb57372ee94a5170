import { describe, expect, test } from 'vitest';
import type { Environment } from '../../src/config/option.ts';
import { readTokenProxy } from '../../src/config/source.ts';

function read(env: Environment) {
  const { tokenProxy, problems } = readTokenProxy(env);
  return { settings: tokenProxy, problems: problems.map(({ text }) => text) };
}

const proxy = { AZURE_KUBERNETES_TOKEN_PROXY: 'https://10.0.0.1/proxy' };

describe('the token proxy', () => {
  test('is none when nothing is set, also with the CA file that the webhook sets always', () => {
    for (const env of [{}, { AZURE_KUBERNETES_CA_FILE: '/ca.crt' }]) {
      expect(read(env)).toEqual({ settings: undefined, problems: [] });
    }
  });

  test('is used as soon as its URL is set', () => {
    const { settings, problems } = read({
      ...proxy,
      AZURE_KUBERNETES_SNI_NAME: 'proxy.internal',
      AZURE_KUBERNETES_CA_FILE: '/ca.crt',
    });
    expect(problems).toEqual([]);
    expect(settings).toEqual({
      url: new URL('https://10.0.0.1/proxy'),
      sniName: 'proxy.internal',
      ca: { path: '/ca.crt' },
    });
  });

  test('takes CA data given beside the CA file that the webhook sets always', () => {
    const { settings, problems } = read({
      ...proxy,
      AZURE_KUBERNETES_CA_FILE: '/ca.crt',
      AZURE_KUBERNETES_CA_DATA: 'PEM',
    });
    expect(problems).toEqual([]);
    expect(settings?.ca).toEqual({ pem: 'PEM' });
  });

  test.each([
    ['an SNI name alone', { AZURE_KUBERNETES_SNI_NAME: 'x' }, 'AZURE_KUBERNETES_SNI_NAME'],
    ['CA data alone', { AZURE_KUBERNETES_CA_DATA: 'x' }, 'AZURE_KUBERNETES_CA_DATA'],
    ['http', { AZURE_KUBERNETES_TOKEN_PROXY: 'http://10.0.0.1' }, 'TOKEN_PROXY'],
    ['no URL', { AZURE_KUBERNETES_TOKEN_PROXY: '10.0.0.1' }, 'TOKEN_PROXY'],
    ['a user', { AZURE_KUBERNETES_TOKEN_PROXY: 'https://u:s3cret@10.0.0.1' }, 'TOKEN_PROXY'],
    ['a query', { AZURE_KUBERNETES_TOKEN_PROXY: 'https://10.0.0.1/?a' }, 'TOKEN_PROXY'],
    ['a fragment', { AZURE_KUBERNETES_TOKEN_PROXY: 'https://10.0.0.1/#a' }, 'TOKEN_PROXY'],
  ])('with %s is a problem that names the setting, and repeats no secret', (_case, env, name) => {
    const { problems } = read(env);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(name);
    expect(problems[0]).not.toContain('s3cret');
  });
});
