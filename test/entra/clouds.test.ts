import { expect, test } from 'vitest';
import { scopeOf } from '../../src/entra/request.ts';
import { endless, exchangeWith, failureOf, federatedToken, startEntra } from './exchange-parts.ts';

const azure = 'https://ossrdbms-aad.database.windows.net/.default';
const usGovernment = 'https://ossrdbms-aad.database.usgovcloudapi.net/.default';
const china = 'https://ossrdbms-aad.database.chinacloudapi.cn/.default';

test.each([
  ['https://login.microsoftonline.com/', azure],
  ['https://login.microsoftonline.com', azure],
  ['https://LOGIN.microsoftonline.com:443/', azure],
  ['https://login.windows.net/', azure],
  ['https://login.microsoft.com/', azure],
  ['https://sts.windows.net/', azure],
  ['https://login.microsoftonline.us/', usGovernment],
  ['https://login.usgovcloudapi.net/', usGovernment],
  ['https://login.partner.microsoftonline.cn/', china],
  ['https://login.chinacloudapi.cn/', china],
  ['https://login.microsoftonline.de/', undefined],
  ['https://login.microsoftonline.com.example.com/', undefined],
  ['https://evil-login.microsoftonline.com/', undefined],
  ['http://127.0.0.1:8080/', undefined],
])('the scope for %s is %s', (authorityHost, scope) => {
  expect(scopeOf(new URL(authorityHost))).toBe(scope);
});

test.each([
  ['the public cloud', 'https://login.microsoftonline.com/', azure],
  ['US Government', 'https://login.microsoftonline.us/', usGovernment],
  ['China', 'https://login.partner.microsoftonline.cn/', china],
  ['China, by its former host', 'https://login.chinacloudapi.cn/', china],
])(
  'an authority that knows only the resource of %s grants its scope',
  async (_cloud, authority, expected) => {
    const resource = expected.replace('/.default', '');
    const entra = await startEntra({ resources: [resource] });
    const scope = scopeOf(new URL(authority)) ?? '';
    const { exchange } = await exchangeWith(entra, { scope });
    const { token } = await exchange(await federatedToken(entra), endless);
    expect((await entra.verifyAccessToken(token.unwrap())).aud).toBe(resource);
  },
);

test('an authority refuses the scope of another cloud', async () => {
  const entra = await startEntra({ resources: [china.replace('/.default', '')] });
  const { exchange } = await exchangeWith(entra, { scope: azure });
  const { details } = await failureOf(exchange(await federatedToken(entra), endless), entra);
  expect(details.aadsts).toBe('AADSTS500011');
});
