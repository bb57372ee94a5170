import { chmod } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import type { AuthorityClock } from '../../../src/check/steps/clocks.ts';
import { checkFederatedToken } from '../../../src/check/steps/federated-token.ts';
import type { Environment } from '../../../src/config/option.ts';
import { unsignedJwt } from '../../support-units/unsigned-jwt.ts';
import { contextWith, environmentOf, fileWith, shown, startEntra, volumeWith } from '../context.ts';

async function check(path: string, env: Environment = {}, authority?: AuthorityClock) {
  const context = contextWith({ AZURE_FEDERATED_TOKEN_FILE: path, ...env });
  return await checkFederatedToken(context, authority);
}

const claims = {
  iss: 'https://oidc.example/',
  sub: 'system:serviceaccount:shop:api',
  aud: ['api://AzureADTokenExchange'],
};
const expiringIn = (seconds: number) =>
  unsignedJwt({ ...claims, exp: Date.now() / 1000 + seconds });

test.each([
  ['nested', 'in a projected volume (nested)'],
  ['flat', 'in a projected volume (flat)'],
  ['plain', 'not in a projected volume'],
] as const)(
  'a valid token is reported with its age, expiry and names: %s',
  async (layout, where) => {
    const { tokenPath } = await volumeWith(expiringIn(3000), layout);
    const { findings, federated, usable } = await check(tokenPath);
    expect(shown(findings, [federated?.assertion.unwrap() ?? ''])).toEqual([
      expect.stringMatching(/^✓ \S+: .*, written \d(?:\.\d)? s ago; the token expires in 50 min$/),
      '✓ issuer https://oidc.example/',
      '✓ subject system:serviceaccount:shop:api',
      '✓ audience api://AzureADTokenExchange',
    ]);
    expect(findings[0]?.found).toContain(`${tokenPath}: ${where}`);
    expect(usable).toBe(true);
  },
);

describe('a token that cannot be read', () => {
  test.each([
    ['is missing', async () => '/nowhere/token', 'federated-token.missing', 'label'],
    ['is empty', () => fileWith('\n'), 'federated-token.empty', 'kubelet'],
    ['is no JWT', () => fileWith('c2VjcmV0'), 'federated-token.malformed', 'projected'],
    ['is a directory', async () => '/tmp', 'federated-token.unreadable', 'the file itself'],
  ])('because it %s is wrong', async (_why, file, cause, remedy) => {
    const { findings, federated, usable } = await check(await file());
    expect(findings).toEqual([
      expect.objectContaining({
        mark: 'wrong',
        cause,
        code: cause,
        remedy: expect.stringContaining(remedy),
      }),
    ]);
    expect({ federated, usable }).toEqual({ federated: undefined, usable: false });
  });

  test.skipIf(process.getuid?.() === 0)(
    'because it belongs to another user is wrong (as an ordinary user)',
    async () => {
      const path = await fileWith(expiringIn(3000));
      await chmod(path, 0o000);
      expect(shown((await check(path)).findings)[0]).toMatch(
        /^✗ federated-token.unreadable .*EACCES/,
      );
    },
  );
});

describe('an expired token', () => {
  test('is wrong', async () => {
    const { findings, federated, usable } = await check(await fileWith(expiringIn(-90)));
    expect(shown(findings)).toEqual([
      expect.stringMatching(/^✓ .*written/),
      expect.stringMatching(/^✗ federated-token.expired .* → .*kubelet rotates it/),
      ...['issuer', 'subject', 'audience'].map((name) => expect.stringContaining(name)),
    ]);
    expect(federated).toBeDefined();
    expect(usable).toBe(false);
  });

  test('is wrong when the clock of the authority agrees', async () => {
    const path = await fileWith(expiringIn(-90));
    const { findings } = await check(path, {}, { host: 'login.example', leadMs: 1000 });
    expect(findings[1]).toMatchObject({ mark: 'wrong' });
  });

  test('has not expired by the correct time, so that our clock is wrong, which clocks reports', async () => {
    const path = await fileWith(expiringIn(-90));
    const authority = { host: 'login.example', leadMs: -600_000 };
    const { findings, usable } = await check(path, {}, authority);
    expect(shown(findings)[1]).toMatch(
      /^– the token expired 9\d(?:\.\d)? s ago by this clock, which is wrong: see clocks$/,
    );
    // pgpassd goes by this clock.
    expect(usable).toBe(false);
  });

  test.each([
    ['one by the right time too', -900, -600_000],
    ['only just one, by clocks that agree well enough', -90, -120_000],
  ])('is wrong when it is %s', async (_how, expiresInSeconds, leadMs) => {
    const path = await fileWith(expiringIn(expiresInSeconds));
    const { findings } = await check(path, {}, { host: 'login.example', leadMs });
    expect(findings[1]).toMatchObject({ mark: 'wrong' });
  });
});

describe('the audience', () => {
  const other = (aud: unknown) => fileWith(unsignedJwt({ ...claims, aud }));
  const settings = async (env: Environment = {}) => environmentOf(await startEntra(), env);
  const audienceIn = async (path: string, env: Environment) => {
    const { findings } = await check(path, { ...env, AZURE_FEDERATED_TOKEN_FILE: path });
    return shown(findings).at(-1);
  };

  test.each(['USGov', 'China'])('is usual in another cloud too: %s', async (cloud) => {
    const audience = `api://AzureADTokenExchange${cloud}`;
    expect(await audienceIn(await other(audience), await settings())).toBe(
      `✓ audience ${audience}`,
    );
  });

  test.each([
    [['api://mine', 'api://yours'], 'api://mine, api://yours'],
    [undefined, 'none'],
  ])('that is unusual is said, but left to the exchange: %j', async (audience, text) => {
    expect(await audienceIn(await other(audience), await settings())).toMatch(
      new RegExp(`^✓ audience ${text}, not the usual api://AzureADTokenExchange: the exchange`),
    );
  });

  test('that is unusual stays open without the network', async () => {
    const env = await settings({ PGPASSD_OFFLINE: 'true' });
    expect(await audienceIn(await other('api://mine'), env)).toMatch(
      /^– audience api:\/\/mine, not/,
    );
  });

  test('for the AKS token proxy is another', async () => {
    const env = await settings({ AZURE_KUBERNETES_TOKEN_PROXY: 'https://10.0.0.1/' });
    const audience = 'api://AKSIdentityBinding';
    expect(await audienceIn(await other(audience), env)).toBe(`✓ audience ${audience}`);
  });
});

test('claims are shown printable and of bounded length', async () => {
  const hostile = unsignedJwt({ iss: `\u{1b}[2J${'x'.repeat(9000)}`, aud: ['\u{202e}', 7] });
  const { findings } = await check(await fileWith(hostile));
  const texts = shown(findings, [hostile]);
  expect(texts.join('')).not.toMatch(/\p{C}/u);
  expect(texts.join('').length).toBeLessThan(1000);
  expect(texts.slice(1)).toEqual([
    expect.stringContaining('issuer \u{fffd}[2Jxxx'),
    '✓ no subject',
    '✓ audience \u{fffd}',
  ]);
});

test('a token that does not expire is good', async () => {
  const { findings, usable } = await check(await fileWith(unsignedJwt(claims)));
  expect(findings[0]?.found).toMatch(/the token has no expiry$/);
  expect(usable).toBe(true);
});

test.each([
  [{ PGPASSD_TOKEN_COMMAND: 'az account get-access-token' }, 'from a command'],
  [{ AZURE_FEDERATED_TOKEN_FILE: '' }, 'no setting names its file'],
])('is not examined with %j', async (env, why) => {
  expect(shown((await check('/nowhere', env)).findings)).toEqual([
    expect.stringMatching(new RegExp(`^– .*${why}`)),
  ]);
});
