import { expect, test } from 'vitest';
import { scopeOf } from '../../src/entra/clouds.ts';

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
