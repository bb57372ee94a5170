import { execFile } from 'node:child_process';
import { mkdir, rmdir, truncate } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { PgpassdHere } from '../support/command-here.ts';
import type { LogLine, Pgpassd } from '../support/pgpassd-process.ts';
import type { Workload, WorkloadOptions } from './workload.ts';

/** A reason for an exchange to fail that ends with the next rotation. */
interface Trouble {
  readonly name: string;
  readonly reason: string;
  readonly entra?: WorkloadOptions;
  readonly arrange?: (workload: Workload) => unknown;
  /** What the volume's writer could not replace. */
  readonly clear?: (workload: Workload) => unknown;
}

const refused = {
  status: 401,
  headers: { 'retry-after': '3600' },
  body: JSON.stringify({ error: 'invalid_client', error_description: 'AADSTS700213: No match.' }),
};

/** Not tried again for an hour. */
export const refusal: Trouble = {
  name: 'a refusal',
  reason: 'entra.refused',
  arrange: ({ entra }) => entra.faults.next({ kind: 'answer', ...refused }),
};

export const troubles: readonly Trouble[] = [
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
    name: 'a FIFO without a writer',
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
  refusal,
];

/**
 * A failure that is not tried again for a while, so that another exchange has another reason. Each
 * failure may double the wait, and SIGHUP lets the next one come at once.
 */
export async function untilResting(
  pgpassd: Pgpassd | PgpassdHere,
  seconds: number,
): Promise<LogLine> {
  for (;;) {
    const failed = await pgpassd.waitFor('refresh.failed');
    if (Number(failed['nextTryInSeconds']) >= seconds) return failed;
    pgpassd.signal('SIGHUP');
  }
}
