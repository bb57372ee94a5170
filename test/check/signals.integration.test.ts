import { describe, expect, onTestFinished, test } from 'vitest';
import { startPgpassd } from '../support/pgpassd-process.ts';
import { startSilentPeer } from '../support/silent-peer.ts';
import { environmentOf, startEntra, volumeWith } from './context.ts';

describe.each([
  ['SIGTERM', 143],
  ['SIGINT', 130],
] as const)('%s ends check with %i, and without a report', (signal, code) => {
  test.each(['PGPASSD_HTTP_ADDRESS', 'AZURE_AUTHORITY_HOST'])(
    'while it waits for who is silent at %s',
    async (variable) => {
      const entra = await startEntra();
      const { tokenPath } = await volumeWith(await entra.cluster.issueServiceAccountToken());
      const peer = await startSilentPeer();
      onTestFinished(() => peer.close());
      const address = `127.0.0.1:${peer.port}`;
      const env = environmentOf(entra, {
        AZURE_FEDERATED_TOKEN_FILE: tokenPath,
        PGPASSD_HTTP_ADDRESS: 'off',
        [variable]: variable === 'AZURE_AUTHORITY_HOST' ? `http://${address}/` : address,
      });
      const heard = peer.heard();
      const pgpassd = startPgpassd({ args: ['check'], env });
      await heard;
      pgpassd.signal(signal);
      expect(await pgpassd.exited).toEqual({ code, signal: null });
      expect(pgpassd.output()).toBe('');
    },
  );
});
