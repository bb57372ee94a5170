import { decodeJwt } from 'jose';
import { describe, test } from 'vitest';
import { noEngine } from './engine.ts';
import { pods } from './pods.ts';

const LIFETIME_SECONDS = 6;
const RUNS = 6;

/** One session as long as the job, and new ones all the while. */
const longJob = `
  psql -w -X -c 'select pg_sleep(20)' & session=$!
  connects=0
  while [ $connects -lt 40 ]; do
    psql -w -X -c 'select 1' || exit 1
    connects=$((connects + 1))
    sleep 0.5
  done
  wait $session`;

describe.skipIf(noEngine)('a job (needs a container engine)', () => {
  const openPod = pods();

  test.concurrent('connects with the token that once got before it, run after run', {
    timeout: 120_000,
  }, async (context) => {
    const { expect } = context;
    const pod = await openPod(context, {
      volume: 'tmpfs',
      accessTokenLifetimeSeconds: LIFETIME_SECONDS,
    });
    const keeper = await pod.startApplication({ script: 'sleep infinity' });
    for (let run = 1; run <= RUNS; run += 1) {
      const pgpassd = await pod.startSidecar({ args: ['once'] });
      expect(await pgpassd.ended(), pgpassd.log.lines.join('\n')).toBe(0);
      const client = await keeper.started.exec(['psql', '-w', '-X', '-c', 'select 1']);
      expect(client.exitCode, client.output).toBe(0);
      expect(new Set(pod.entra.issued).size).toBe(run);
    }
  });

  test.concurrent('outlives three tokens beside the sidecar, which then ends with 0, too', {
    timeout: 120_000,
  }, async (context) => {
    const { expect } = context;
    const pod = await openPod(context, {
      volume: 'tmpfs',
      accessTokenLifetimeSeconds: LIFETIME_SECONDS,
    });
    const pgpassd = await pod.startSidecar();
    await pgpassd.waitFor('token.refreshed');
    const job = await pod.startApplication({ script: longJob });
    expect(await job.ended(), job.log.lines.join('\n')).toBe(0);

    const expired = pod.entra.issued.filter(
      (token) => (decodeJwt(token).exp ?? 0) * 1000 < Date.now(),
    );
    expect(expired.length).toBeGreaterThanOrEqual(3);
    expect(pod.entra.issued.length).toBeGreaterThan(5);
    await pgpassd.raw.kill({ signal: 'SIGTERM' });
    expect(await pgpassd.ended()).toBe(0);
  });
});
