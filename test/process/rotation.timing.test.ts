import { execFile } from 'node:child_process';
import { mkdir, rmdir, truncate } from 'node:fs/promises';
import { promisify } from 'node:util';
import { describe, test } from 'vitest';
import type { LogPredicate } from '../support/pgpassd-process.ts';
import { openWorkload, startedFor, type Workload, type WorkloadOptions } from './workload.ts';

/** A failure that is not tried again for a while, so that another exchange has another reason. */
const restingFor =
  (seconds: number): LogPredicate =>
  ({ event, nextTryInSeconds }) =>
    event === 'refresh.failed' && Number(nextTryInSeconds) >= seconds;

interface Trouble {
  readonly name: string;
  readonly reason: string;
  readonly entra?: WorkloadOptions;
  readonly arrange?: (workload: Workload) => unknown;
  /** What the volume's writer could not replace. */
  readonly clear?: (workload: Workload) => unknown;
}

const refusal = {
  status: 401,
  headers: { 'retry-after': '3600' },
  body: JSON.stringify({ error: 'invalid_client', error_description: 'AADSTS700213: No match.' }),
};

const troubles: readonly Trouble[] = [
  {
    name: 'an expired federated token',
    reason: 'federated-token.expired',
    arrange: async ({ entra, volume }) => {
      const life = { notBeforeMs: Date.now() - 3_600_000, lifetimeSeconds: 600 };
      await volume.write(await entra.cluster.issueServiceAccountToken(life));
    },
  },
  {
    name: 'an empty federated token',
    reason: 'federated-token.empty',
    entra: { federatedToken: '' },
  },
  {
    name: 'a federated token missing from its volume',
    reason: 'federated-token.missing',
    entra: { federatedToken: null },
    arrange: ({ volume }) => volume.writeFiles({ 'podinfo/labels': 'app="legacy-app"' }),
  },
  {
    name: 'a federated token missing from a directory',
    reason: 'federated-token.missing',
    entra: { federatedToken: null, layout: 'plain' },
  },
  {
    name: 'a federated token missing from an empty volume',
    reason: 'federated-token.missing',
    entra: { federatedToken: null, layout: 'nested' },
  },
  {
    name: 'a federated token that is no JWT',
    reason: 'federated-token.malformed',
    entra: { federatedToken: 'hunter2.hunter2.hunter2' },
  },
  {
    name: "a directory in the federated token's place",
    reason: 'federated-token.unreadable',
    entra: { federatedToken: null, layout: 'plain' },
    arrange: ({ volume }) => mkdir(volume.tokenPath),
    clear: ({ volume }) => rmdir(volume.tokenPath),
  },
  {
    name: 'a FIFO that nobody writes to',
    reason: 'federated-token.unreadable',
    entra: { federatedToken: null, layout: 'plain' },
    arrange: ({ volume }) => promisify(execFile)('mkfifo', [volume.tokenPath]),
  },
  {
    name: 'a federated token of 1 GiB',
    reason: 'federated-token.unreadable',
    entra: { layout: 'plain' },
    arrange: ({ volume }) => truncate(volume.tokenPath, 1024 ** 3),
  },
  {
    name: 'a refusal',
    reason: 'entra.refused',
    arrange: ({ entra }) => entra.faults.next({ kind: 'answer', ...refusal }),
  },
];

describe.concurrent('after a failure', () => {
  test.for(troubles)(
    'for $name a rotation is exchanged at once, long before the next try',
    async ({ reason, entra, arrange, clear }, { expect, onTestFinished }) => {
      const workload = await openWorkload({ onTestFinished, ...entra });
      await arrange?.(workload);
      const pgpassd = workload.start(['run']);
      expect(await pgpassd.waitFor(restingFor(3))).toMatchObject({ reason });
      await clear?.(workload);
      const rotatedAt = performance.now();
      await workload.volume.write(await workload.entra.cluster.issueServiceAccountToken());
      await pgpassd.waitFor(startedFor('rotation'));
      // Two attempts keep a second between them.
      expect(performance.now() - rotatedAt).toBeLessThan(2000);
      await pgpassd.waitFor('refresh.recovered');
    },
  );
});
