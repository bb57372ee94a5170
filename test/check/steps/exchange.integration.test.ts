import { describe, expect, onTestFinished, test } from 'vitest';
import { checkExchange, type Prerequisites } from '../../../src/check/steps/exchange.ts';
import type { Environment } from '../../../src/config/option.ts';
import { aadsts } from '../../support/fake-entra/faults.ts';
import type { FakeEntra } from '../../support/fake-entra/server.ts';
import { startSilentPeer } from '../../support/silent-peer.ts';
import { contextWith, environmentOf, fileWith, shown, startEntra, volumeWith } from '../context.ts';

const all: Prerequisites = { usable: true, reached: true };

/** What is found by a pod with a good federated token. */
async function check(entra: FakeEntra, env: Environment = {}, prerequisites = all) {
  const { tokenPath } = await volumeWith(await entra.cluster.issueServiceAccountToken());
  const given = environmentOf(entra, { AZURE_FEDERATED_TOKEN_FILE: tokenPath, ...env });
  const { findings, issued } = await checkExchange(contextWith(given), prerequisites);
  return { texts: shown(findings, entra.secrets()), issued };
}

const jwtFree = `sh -c 'echo bare-token-of-some-length'`;

describe('an exchange', () => {
  test('that succeeds reports how long it took, and how long the token is valid', async () => {
    const entra = await startEntra();
    const { texts, issued } = await check(entra);
    expect(texts).toEqual([
      expect.stringMatching(/^✓ Entra gave a token in \d+(\.\d)? s, valid for 60 min$/),
    ]);
    expect(issued).toBeDefined();
    expect(entra.requests).toHaveLength(1);
    expect(entra.requests[0]?.headers['user-agent']).toMatch(/^pgpassd\//);
  });

  test('that Entra refuses is reported with its code and what to do', async () => {
    const entra = await startEntra({
      federatedCredentials: [
        {
          issuer: 'https://westeurope.oic.prod-aks.azure.com/another/',
          subject: 'system:serviceaccount:shop:legacy-app',
          audience: 'api://AzureADTokenExchange',
        },
      ],
    });
    const { texts, issued } = await check(entra);
    expect(texts).toEqual([
      expect.stringMatching(
        /^✗ AADSTS700211 \(entra\.refused\): .*AADSTS700211.* → Set the issuer of the federated credential/,
      ),
    ]);
    expect(issued).toBeUndefined();
  });

  test('whose remedy is a report has the id to report', async () => {
    const entra = await startEntra();
    entra.faults.always(aadsts(900144, 400, 'invalid_request', 'The request lacks something.'));
    const { texts } = await check(entra);
    expect(texts).toEqual([
      expect.stringMatching(/\(correlation id [\da-f]{8}-[\da-f-]{27}\) → .*the correlation id\.$/),
    ]);
  });

  test('that fails without a code is reported by the kind of the failure', async () => {
    const entra = await startEntra();
    entra.faults.always({ kind: 'answer', status: 502, body: '<html>Bad gateway</html>' });
    expect((await check(entra)).texts).toEqual([
      expect.stringMatching(/^✗ entra.unavailable .*502/),
    ]);
  });

  test('that quotes the token back is reported without it', async () => {
    const entra = await startEntra();
    const assertion = await entra.cluster.issueServiceAccountToken();
    entra.faults.always(aadsts(50027, 400, 'invalid_request', `JWT ${assertion} is invalid`));
    const path = await fileWith(assertion);
    const { texts } = await check(entra, { AZURE_FEDERATED_TOKEN_FILE: path });
    expect(texts[0]).toMatch(/^✗ AADSTS50027 .*redacted/);
  });
});

describe('a token command', () => {
  test('is run', async () => {
    const entra = await startEntra();
    const { texts, issued } = await check(
      entra,
      { PGPASSD_TOKEN_COMMAND: jwtFree, PGPASSD_TOKEN_LIFETIME: '15m' },
      { usable: false, reached: true },
    );
    expect(texts).toEqual([
      expect.stringMatching(/^✓ the token command gave a token in .* valid for 15 min$/),
    ]);
    expect(issued).toBeDefined();
    expect(entra.requests).toEqual([]);
  });

  test('that fails is reported with its standard error', async () => {
    const command = "sh -c 'echo please log in >&2; exit 3'";
    expect((await check(await startEntra(), { PGPASSD_TOKEN_COMMAND: command })).texts).toEqual([
      expect.stringMatching(/^✗ token-command.failed .*exited with code 3: please log in → Run/),
    ]);
  });
});

describe('no exchange is tried', () => {
  test.each<[string, Environment, Prerequisites, string]>([
    ['without the network', { PGPASSD_OFFLINE: 'true' }, all, '--offline'],
    ['with half the settings', { AZURE_CLIENT_ID: '' }, all, 'settings'],
    ['without a federated token', {}, { usable: false, reached: true }, 'no federated token'],
    [
      'when the authority cannot be reached',
      {},
      { usable: true, reached: false },
      'cannot be reached',
    ],
    [
      'by a command without the network',
      { PGPASSD_OFFLINE: 'true', PGPASSD_TOKEN_COMMAND: 'false' },
      all,
      '--offline',
    ],
  ])('%s', async (_why, env, prerequisites, text) => {
    const entra = await startEntra();
    const { texts, issued } = await check(entra, env, prerequisites);
    expect(texts).toEqual([expect.stringMatching(new RegExp(`^– not tried: .*${text}`))]);
    expect(issued).toBeUndefined();
    expect(entra.requests).toEqual([]);
  });
});

test('ends when the process is asked to', async () => {
  const peer = await startSilentPeer();
  onTestFinished(() => peer.close());
  const stop = new AbortController();
  const entra = await startEntra();
  const { tokenPath } = await volumeWith(await entra.cluster.issueServiceAccountToken());
  const env = environmentOf(entra, {
    AZURE_AUTHORITY_HOST: `http://127.0.0.1:${peer.port}/`,
    AZURE_FEDERATED_TOKEN_FILE: tokenPath,
  });
  const heard = peer.heard();
  const checking = checkExchange(contextWith(env, { signal: stop.signal }), all);
  await heard;
  stop.abort(new Error('stopped'));
  expect(shown((await checking).findings)).toEqual(['– interrupted']);
});
