import { describe, test } from 'vitest';
import { PROBE_PORT } from './container.ts';
import { noEngine } from './engine.ts';
import { pods } from './pods.ts';
import type { Sidecar } from './sidecar.ts';

const node = '/nodejs/bin/node';

/** What manifests may allow: pgpassd has some dozen threads, and so has the command while it runs. */
const PIDS_LIMIT = 64;

/** Far more orphans than that, each gone before anybody waits for it. */
const ORPHANS = 4;
const REFRESHES = 17;

/** A command of which processes stay behind when it has ended; it fails where it cannot start one of them. */
const script = `
  const { spawn } = require("node:child_process");
  for (let n = 0; n < ${ORPHANS}; n += 1) spawn("tini", ["--version"], { detached: true, stdio: "ignore" });
  process.nextTick(() => { console.log("a-token-of-a-command-" + Date.now()); process.exit(); });`;
const orphaning = `${node} -e '${script}'`;
const settings = ['--token-command', orphaning, '--token-lifetime', '1h'];
/** The command is one more Node.js. */
const limits = { memoryMiB: 256, pidsLimit: PIDS_LIMIT };

const zombies = `
  const { readdirSync, readFileSync } = require('node:fs');
  const stats = readdirSync('/proc').filter(Number).map((pid) => readFileSync('/proc/' + pid + '/stat', 'utf8'));
  console.log(stats.filter((stat) => /\\) Z /.test(stat)).length);`;

async function zombiesIn(pgpassd: Sidecar): Promise<number> {
  const { stdout } = await pgpassd.started.exec([node, '-e', zombies]);
  return Number.parseInt(stdout, 10);
}

async function livenessOf({ started }: Sidecar): Promise<{ status: number; reason: string }> {
  const port = started.getMappedPort(PROBE_PORT);
  const answer = await fetch(`http://${started.getHost()}:${port}/livez`);
  const { reason } = (await answer.json()) as { reason: string };
  return { status: answer.status, reason };
}

describe.skipIf(noEngine)('process 1 of the image (needs a container engine)', () => {
  const openPod = pods();

  test('reaps what a token command leaves behind', { timeout: 120_000 }, async (context) => {
    const { expect } = context;
    const pod = await openPod(context);
    const options = { ...limits, probed: true, args: ['run', ...settings] };
    const pgpassd = await pod.startSidecar(options);
    await pgpassd.waitFor('token.refreshed');
    for (let refresh = 0; refresh < REFRESHES; refresh += 1) {
      await pgpassd.raw.kill({ signal: 'SIGHUP' });
      await pgpassd.waitFor('token.refreshed');
    }
    expect(REFRESHES * ORPHANS).toBeGreaterThan(PIDS_LIMIT);
    while ((await zombiesIn(pgpassd)) > 0);
    expect(await livenessOf(pgpassd)).toMatchObject({ status: 200 });
  });

  test('is missed where another entrypoint leaves it out: /livez turns to 503', {
    timeout: 120_000,
  }, async (context) => {
    const { expect } = context;
    const pod = await openPod(context);
    const entrypoint = [node, '/usr/local/bin/pgpassd'];
    const options = { ...limits, entrypoint, probed: true, args: ['run', ...settings] };
    const pgpassd = await pod.startSidecar(options);
    const ends = ['token.refreshed', 'refresh.failed'];
    const nextEnd = () => pgpassd.waitFor(({ event }) => ends.includes(event));
    while ((await nextEnd()).event !== 'refresh.failed') {
      await pgpassd.raw.kill({ signal: 'SIGHUP' });
    }
    let liveness = await livenessOf(pgpassd);
    while (liveness.status === 200) liveness = await livenessOf(pgpassd);
    expect(liveness).toEqual({
      status: 503,
      reason: expect.stringMatching(/^no process could be started .* \(EAGAIN\)$/),
    });
  });

  test.for([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('passes %s on to once, which ends with %i', async ([signal, code], context) => {
    const { expect } = context;
    const pod = await openPod(context);
    pod.entra.faults.always({ kind: 'hang' });
    const asked = pod.entra.nextRequest();
    const pgpassd = await pod.startSidecar({ args: ['once'] });
    await asked;
    const ended = pgpassd.ended();
    await pgpassd.raw.kill({ signal });
    expect(await ended).toBe(code);
  });

  test('ends with the code of a bad configuration', async (context) => {
    const { expect } = context;
    const pod = await openPod(context);
    const pgpassd = await pod.startSidecar({ args: ['once', '--mode', '0644'] });
    expect(await pgpassd.ended()).toBe(2);
  });

  test("opens no port to Node's debugger on SIGUSR1", async (context) => {
    const { expect } = context;
    const pod = await openPod(context);
    const pgpassd = await pod.startSidecar();
    await pgpassd.waitFor('token.refreshed');
    await pgpassd.raw.kill({ signal: 'SIGUSR1' });
    await pgpassd.raw.kill({ signal: 'SIGHUP' });
    await pgpassd.waitFor('token.refreshed');
    expect(pgpassd.log.lines.filter((line) => !line.startsWith('{'))).toEqual([]);
  });

  test('passes signals on to the program that wait becomes, and ends as it does', async (context) => {
    const { expect } = context;
    const pod = await openPod(context);
    const keeper = await pod.startSidecar();
    await keeper.waitFor('token.refreshed');
    const program =
      "process.on('SIGUSR1', () => process.exit(42)); console.log('ready'); setInterval(() => {}, 1000)";
    const pgpassd = await pod.startSidecar({ args: ['wait', '--', node, '-e', program] });
    await pgpassd.log.waitFor('the program', (line) => line === 'ready');
    const processes = JSON.stringify(await pgpassd.raw.top({ ps_args: '-o pid,args' }));
    expect(processes).not.toContain('"/nodejs/bin/node --disable-sigusr1');
    const ended = pgpassd.ended();
    await pgpassd.raw.kill({ signal: 'SIGUSR1' });
    expect(await ended).toBe(42);
  });
});
