import { describe, expect, test } from 'vitest';
import { checkAccessToken, checkExchange } from '../../../src/check/steps/exchange.ts';
import { Secret } from '../../../src/support/secret.ts';
import { unsignedJwt } from '../../support-units/unsigned-jwt.ts';
import { contextWith, environmentOf, shown, startEntra, volumeWith } from '../context.ts';

const tenantId = '8f3c1a52-6d0e-4b7a-9c25-41e07fd3b690';
const clientId = '2b9d7e14-53af-4c68-8e01-7a6c90f4d2b3';
const other = '00000000-1111-4222-8333-444444444444';
const context = contextWith({
  PGPASSFILE: '/pgpass/pgpass',
  PGPASSD_ENTRIES: 'server.example:5432:*:my-app',
  AZURE_TENANT_ID: tenantId,
  AZURE_CLIENT_ID: clientId,
  AZURE_FEDERATED_TOKEN_FILE: '/token',
});
const claims = {
  aud: 'https://ossrdbms-aad.database.windows.net',
  tid: tenantId,
  oid: other,
  appid: clientId,
  nbf: 1_000_000,
  exp: 1_086_400,
};

const life = { since: { wallMs: 0, monotonicMs: 0 }, delayMs: 3_600_000 };

function check(token: string, given = context) {
  return shown(checkAccessToken(given, { token: new Secret(token), life }), [token]);
}

describe('a token as it should be', () => {
  test('is reported with its audience, identity and lifetime', () => {
    expect(check(unsignedJwt(claims))).toEqual([
      '✓ audience https://ossrdbms-aad.database.windows.net; lifetime 24 h',
      `✓ object id ${other}, client id ${clientId}, tenant ${tenantId}`,
    ]);
  });

  test('is one that Entra gives', async () => {
    const entra = await startEntra();
    const { tokenPath } = await volumeWith(await entra.cluster.issueServiceAccountToken());
    const pod = contextWith(environmentOf(entra, { AZURE_FEDERATED_TOKEN_FILE: tokenPath }));
    const { issued } = await checkExchange(pod, { usable: true, reached: true });
    const findings = checkAccessToken(pod, issued);
    expect(findings.map(({ mark }) => mark)).toEqual(['ok', 'ok']);
    const texts = shown(findings, entra.secrets());
    expect(texts[0]).toMatch(/lifetime 60 min$/);
    expect(texts[1]).toContain(`object id ${entra.objectId},`);
  });

  test.each([
    ['with its audience as an id', { ...claims, aud: '123cd850-d9df-40bd-94d5-c9f07b7fa203' }],
    ['with a slash at its audience', { ...claims, aud: `${claims.aud}/` }],
    ['without these claims', {}],
  ])('may be one %s', (_kind, given) => {
    expect(check(unsignedJwt(given)).join('')).not.toContain('✗');
  });

  test('may tell its client in azp', () => {
    const texts = check(unsignedJwt({ ...claims, appid: undefined, azp: clientId }));
    expect(texts[1]).toContain(`client id ${clientId}`);
  });

  test('may be no JWT', () => {
    expect(check('opaque')).toEqual(['✓ not a JWT, so its lifetime and its audience are unknown']);
  });
});

describe('a token for something else is wrong, and names the setting', () => {
  test.each([
    ['audience', { aud: 'https://graph.microsoft.com' }, '--scope', 'ossrdbms-aad'],
    ['tenant', { tid: other }, 'AZURE_TENANT_ID', tenantId],
    ['client', { appid: other }, 'AZURE_CLIENT_ID', clientId],
  ])('another %s', (claim, given, setting, value) => {
    const texts = check(unsignedJwt({ ...claims, ...given }));
    expect(texts).toHaveLength(3);
    expect(texts[2]).toMatch(
      new RegExp(`^✗ access-token-${claim} \\(entra\\.bad-answer\\): .*${value}.* → .*${setting}`),
    );
    expect(texts[2]).toContain(Object.values(given)[0]);
  });

  test('everything at once', () => {
    const token = unsignedJwt({ ...claims, aud: 'api://x', tid: other, appid: other });
    expect(check(token).filter((text) => text.startsWith('✗'))).toHaveLength(3);
  });

  test('unless a command gave it, which asks for what it likes', () => {
    const commanded = contextWith({
      PGPASSFILE: '/pgpass/pgpass',
      PGPASSD_ENTRIES: 'server.example:5432:*:my-app',
      PGPASSD_TOKEN_COMMAND: 'az account get-access-token',
    });
    const token = unsignedJwt({ ...claims, aud: 'api://x' });
    expect(check(token, commanded).join('')).not.toContain('✗');
  });
});

test('claims are shown printable and of bounded length', () => {
  const texts = check(unsignedJwt({ aud: [7, '\u{1b}[2J'], oid: 'x'.repeat(9000), tid: {} }));
  expect(texts.join('')).not.toMatch(/\p{C}/u);
  expect(texts.join('').length).toBeLessThan(600);
});

test('without a token there is nothing to look at', () => {
  expect(shown(checkAccessToken(context, undefined))).toEqual(['– not examined: there is none']);
});
