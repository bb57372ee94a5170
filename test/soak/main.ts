import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startFakeEntra } from '../support/fake-entra/server.ts';
import { pgpassdEnv, startPgpassd } from '../support/pgpassd-process.ts';
import { createProjectedVolume } from '../support/projected-volume.ts';
import { answerVariable } from './probe.ts';
import { type Sample, takeSample } from './sample.ts';
import { headings, lastWords, row } from './table.ts';
import { judge } from './verdict.ts';

const SAMPLE_MS = 10_000;
const SAMPLES_A_MINUTE = 60_000 / SAMPLE_MS;

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '60' } } });
const minutes = Number(values.minutes);
if (!(minutes >= 2)) throw new Error('--minutes takes a number of 2 or more, such as 60.');

const cleanUps: (() => Promise<unknown>)[] = [];
const onTestFinished = (cleanUp: () => Promise<void>) => void cleanUps.unshift(cleanUp);
const interrupt = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => interrupt.abort());

try {
  process.exitCode = await soak();
} finally {
  for (const cleanUp of cleanUps) await cleanUp();
}

/** Returns the exit code. */
async function soak(): Promise<number> {
  const entra = await startFakeEntra({ accessTokenLifetimeSeconds: 1 });
  onTestFinished(() => entra.close());
  const volume = await createProjectedVolume({ layout: 'nested' });
  onTestFinished(() => volume.close());
  const directory = await mkdtemp(join(tmpdir(), 'soak-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const rotate = async () => volume.write(await entra.cluster.issueServiceAccountToken());

  await rotate();
  const answerPath = join(directory, 'answer');
  const pgpassd = startPgpassd({
    args: ['run'],
    env: {
      ...pgpassdEnv({ entra, tokenPath: volume.tokenPath, passfile: join(directory, 'pgpass') }),
      PGPASSD_LOG_LEVEL: 'info',
      NODE_OPTIONS: `--import=${new URL('probe.ts', import.meta.url).href}`,
      [answerVariable]: answerPath,
    },
    onTestFinished,
  });
  await pgpassd.waitFor('token.refreshed');
  const failures = () => pgpassd.lines.filter(({ event }) => event === 'refresh.failed').length;

  const samples: Sample[] = [];
  const beganMs = performance.now();
  process.stdout.write(`${headings()}\n`);
  for (
    let count = 1;
    count <= minutes * SAMPLES_A_MINUTE && !interrupt.signal.aborted;
    count += 1
  ) {
    const restMs = beganMs + count * SAMPLE_MS - performance.now();
    await sleep(Math.max(0, restMs), undefined, { signal: interrupt.signal }).catch(() => {});
    const sample = await takeSample(
      pgpassd.pid,
      answerPath,
      (performance.now() - beganMs) / 60_000,
    );
    samples.push(sample);
    if (count % SAMPLES_A_MINUTE > 0) continue;
    process.stdout.write(`${row(sample, entra.issued.length, failures())}\n`);
    await rotate();
  }

  const findings = judge({ samples, exchanges: entra.issued.length, failures: failures() });
  process.stdout.write(`${lastWords(findings)}\n`);
  return findings.objections.length === 0 ? 0 : 1;
}
