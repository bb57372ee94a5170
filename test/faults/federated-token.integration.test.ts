import { execFile } from 'node:child_process';
import { chmod, mkdir, rm, truncate } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { type Azure, startAzure } from '../postgres/azure.ts';
import { startedFor } from '../process/workload.ts';
import type { LogLine, Pgpassd } from '../support/pgpassd-process.ts';
import { psql } from '../support/postgres/clients.ts';
import { startTimeoutMs } from '../support/postgres/server.ts';
import { namesOf } from './outage.ts';
import { type Context, expectUnharmed, noPsql, openPod, type Pod } from './pod.ts';

let azure: Azure;

beforeAll(async () => {
  azure = await startAzure({});
}, startTimeoutMs);
afterAll(() => azure.close());

const run = promisify(execFile);

interface Damage {
  readonly name: string;
  readonly reason: string;
  readonly what: RegExp;
  readonly remedy: RegExp;
  readonly inflict: (pod: Pod) => unknown;
}

const unreadable = {
  reason: 'federated-token.unreadable',
  remedy: /may read the projected token, and point --federated-token-file at the file itself/,
};

const gone = ({ volume }: Pod) => rm(volume.tokenPath, { recursive: true, force: true });

const contents: readonly Damage[] = [
  {
    name: 'removed',
    reason: 'federated-token.missing',
    what: /does not exist/,
    remedy: /azure\.workload\.identity\/use/,
    inflict: gone,
  },
  {
    name: 'empty',
    reason: 'federated-token.empty',
    what: /is empty/,
    remedy: /Wait for kubelet/,
    inflict: ({ volume }) => volume.write(''),
  },
  {
    name: 'no JWT',
    reason: 'federated-token.malformed',
    what: /does not contain a JWT/,
    remedy: /AZURE_FEDERATED_TOKEN_FILE/,
    inflict: ({ volume }) => volume.write('hunter2.hunter2.hunter2'),
  },
  {
    name: 'expired',
    reason: 'federated-token.expired',
    what: /expired at \d{4}-/,
    remedy: /kubelet rotates/,
    inflict: async ({ entra, volume }) => {
      const life = { notBeforeMs: Date.now() - 3_600_000, lifetimeSeconds: 600 };
      await volume.write(await entra.cluster.issueServiceAccountToken(life));
    },
  },
];

const others: readonly Damage[] = [
  {
    name: 'a directory',
    what: /is not a regular file/,
    ...unreadable,
    inflict: async (pod) => {
      await gone(pod);
      await mkdir(pod.volume.tokenPath);
    },
  },
  {
    name: 'a FIFO without a writer',
    what: /is not a regular file/,
    ...unreadable,
    inflict: async (pod) => {
      await gone(pod);
      await run('mkfifo', [pod.volume.tokenPath]);
    },
  },
  {
    name: '1 GiB long',
    what: /is too large \(over 64 KiB\)/,
    ...unreadable,
    inflict: async ({ volume }) => truncate(volume.tokenPath, 1024 ** 3),
  },
];

const unreadableFile: Damage = {
  name: 'not readable',
  what: /cannot be read \(EACCES\)/,
  ...unreadable,
  inflict: ({ volume }) => chmod(volume.tokenPath, 0),
};

describe.skipIf(noPsql).concurrent('with the federated token (psql must be installed)', () => {
  test('missing at the start run waits, and works as soon as it appears', async (context) => {
    const { expect } = context;
    const pod = await openPod(azure, context, { federatedToken: null });
    const pgpassd = pod.run();
    expect(await resting(pgpassd)).toMatchObject({
      reason: 'federated-token.missing',
      remedy: expect.stringContaining('azure.workload.identity/use: "true"'),
    });
    expect(await psql(pod.client)).toMatchObject({ code: 2 });
    expect(pod.entra.requests).toEqual([]);
    await actedOn(pod, pgpassd, context);
    await expectUnharmed(pod, pgpassd, context);
  });

  test.for([contents, others].map((damages) => [namesOf(damages), damages] as const))(
    '%s the token in place serves until the next rotation',
    ([, damages], context) => untilRotation(damages, context),
  );

  test.skipIf(process.getuid?.() === 0)(
    'not readable the token in place serves until the next rotation (as an ordinary user)',
    (context) => untilRotation([unreadableFile], context),
  );
});

/** One pgpassd goes through all the damages, and through a rotation after each. */
async function untilRotation(damages: readonly Damage[], context: Context): Promise<void> {
  const { expect } = context;
  const pod = await openPod(azure, context, { layout: 'plain' });
  const pgpassd = pod.run();
  await pgpassd.waitFor('token.refreshed');
  await pgpassd.waitFor('federated-token.found');
  const application = pod.startApplication();

  for (const { name, reason, what, remedy, inflict } of damages) {
    const { length: asked } = pod.entra.requests;
    const { length: told } = pgpassd.lines;
    await inflict(pod);
    pgpassd.signal('SIGHUP');
    const failed = await resting(pgpassd, told);
    // Of many in a minute the last are at debug.
    const first = pgpassd.lines.slice(told).find(({ event }) => event === 'refresh.failed');
    expect(first?.level, name).toBe('warn');
    expect(failed, name).toMatchObject({
      reason,
      msg: expect.stringMatching(what),
      remedy: expect.stringMatching(remedy),
    });
    expect(pod.entra.requests).toHaveLength(asked);

    await application.nextConnect();
    await gone(pod);
    await actedOn(pod, pgpassd, context);
    expect(pod.entra.requests).toHaveLength(asked + 1);
  }
  const connects = await application.stop();
  expect(connects.filter(({ ok }) => !ok)).toEqual([]);
  await expectUnharmed(pod, pgpassd, context);
}

/** Has it fail on request until the next try is so far away that it can't be taken for a rotation's. */
async function resting(pgpassd: Pgpassd, since = 0): Promise<LogLine> {
  for (;;) {
    const failed = await pgpassd.waitFor(
      (line) => line.event === 'refresh.failed' && pgpassd.lines.indexOf(line) >= since,
    );
    if (Number(failed['nextTryInSeconds']) > 4) return failed;
    pgpassd.signal('SIGHUP');
  }
}

/** Passes when a good token in the volume is in use because it was noticed. */
async function actedOn(pod: Pod, pgpassd: Pgpassd, { expect }: Context): Promise<void> {
  const token = await pod.entra.cluster.issueServiceAccountToken();
  await pod.volume.write(token);
  await pgpassd.waitFor(startedFor('rotation'));
  await pgpassd.waitFor('refresh.recovered');
  await pod.expectNewestToken();
  expect(await psql(pod.client)).toMatchObject({ code: 0 });
}
