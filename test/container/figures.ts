import { parseArgs } from 'node:util';
import { getContainerRuntimeClient, ImageName } from 'testcontainers';
import { openCloud } from './cloud.ts';
import type { CleanUp } from './container.ts';
import './engine.ts';
import { pgpassdImage } from './images.ts';
import { openPod, type Pod } from './pod.ts';
import type { Sidecar } from './sidecar.ts';

/**
 * What pgpassd costs in a container: for each image named on the command line (ours, if none is), and
 * each set of Node.js flags and variables given with --with. Prints, judges nothing.
 */

const PROGRAM = '/usr/local/bin/pgpassd';
const REFRESHES = 20;
const STARTS = 15;

const headings = [
  'image',
  'Node.js',
  'with',
  'size, MB',
  '`--version`, ms',
  '`once`, ms',
  '`wait`, ms',
  'run, MiB',
  `after ${REFRESHES} refreshes`,
  'most',
  'most with `check`',
];

/** Node's own, and the one here; with --ca-file all of them would be in memory twice. */
const rootsAsUsual = { PGPASSD_CA_FILE: '', NODE_EXTRA_CA_CERTS: '/trust/ca.pem' };

/** Run by Node.js in the container, so that the engine's own time is not counted. */
const timeStarts = `
  const { spawnSync } = require('node:child_process');
  const { rmSync } = require('node:fs');
  const [flags, commands] = JSON.parse(process.argv[1]);
  const figures = commands.map(() => []);
  for (let round = 0; round < ${STARTS}; round += 1) {
    for (const [index, args] of commands.entries()) {
      if (args[0] === 'once') rmSync(process.env.PGPASSFILE, { force: true });
      const since = performance.now();
      const { status, stderr } = spawnSync(process.execPath, [...flags, '${PROGRAM}', ...args]);
      figures[index].push(performance.now() - since);
      if (status !== 0) throw new Error(args + ': ' + stderr);
    }
  }
  console.log(JSON.stringify(figures.map((all) => Math.min(...all))));`;

interface Variant {
  readonly flags: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const { values, positionals: images } = parseArgs({
  allowPositionals: true,
  options: { with: { type: 'string', multiple: true, default: [''] } },
});

const cloud = await openCloud();
try {
  console.log(row(headings));
  console.log(row(headings.map(() => '---')));
  for (const image of images.length > 0 ? images : [await pgpassdImage()]) {
    for (const text of values.with) console.log(row(await measure(image, text)));
  }
} finally {
  await cloud.close();
}

async function measure(image: string, text: string): Promise<string[]> {
  const cleanUps: Parameters<CleanUp>[0][] = [];
  const onTestFinished: CleanUp = (cleanUp) => void cleanUps.unshift(cleanUp);
  try {
    const pod = await openPod(cloud, image, { onTestFinished }, { accessTokenBytes: 2048 });
    const starts = await timedStarts(pod, variantIn(text));
    const { node, figures } = await measuredMemory(pod, variantIn(text));
    return [image, node, text, await sizeOf(image), ...starts, ...figures];
  } finally {
    for (const cleanUp of cleanUps) await cleanUp();
  }
}

/** Words that are no flags are variables, as for env(1). */
function variantIn(text: string): Variant {
  const words = text.split(' ').filter(Boolean);
  const variables = words.filter((word) => !word.startsWith('-'));
  return {
    flags: words.filter((word) => word.startsWith('-')),
    env: {
      ...rootsAsUsual,
      ...Object.fromEntries(variables.map((word) => word.split(/=(.*)/s).slice(0, 2))),
    },
  };
}

async function sizeOf(image: string): Promise<string> {
  const { Size } = await (await getContainerRuntimeClient()).image.inspect(
    ImageName.fromString(image),
  );
  return (Size / 1e6).toFixed(0);
}

/** The best of several: whatever else the machine does only adds to it. */
async function timedStarts(pod: Pod, { flags, env }: Variant): Promise<string[]> {
  const commands = [['--version'], ['once'], ['wait']];
  const container = await pod.startSidecar({
    entrypoint: ['/nodejs/bin/node', '-e', timeStarts, JSON.stringify([flags, commands])],
    args: [],
    memoryMiB: 512,
    env,
  });
  await container.ended();
  const line = container.log.lines.at(-1) ?? '';
  if (!line.startsWith('[')) throw new Error(container.log.lines.join('\n'));
  return (JSON.parse(line) as number[]).map((ms) => ms.toFixed(0));
}

async function measuredMemory(pod: Pod, { flags, env }: Variant) {
  const node = ['/nodejs/bin/node', ...flags, PROGRAM];
  // Without flags to try: as the image starts it.
  const asUsual = flags.length === 0;
  const entrypoint = asUsual ? {} : { entrypoint: ['tini', '-s', '--', ...node] };
  const alone = await pod.startSidecar({ ...entrypoint, env });
  const started = await alone.waitFor('started');
  await alone.waitFor('token.refreshed');
  const first = await memoryOf(alone);
  for (let refresh = 0; refresh < REFRESHES; refresh += 1) {
    await alone.raw.kill({ signal: 'SIGHUP' });
    await alone.waitFor('token.refreshed');
  }
  const later = await memoryOf(alone);

  const beside = await pod.startSidecar({ ...entrypoint, env, memoryMiB: 128 });
  await beside.waitFor('passfile.adopted');
  const check = asUsual ? ['pgpassd', 'check'] : [...node, 'check'];
  const { exitCode, output } = await beside.started.exec(check);
  if (exitCode !== 0) throw new Error(output);
  const together = await memoryOf(beside);
  return {
    node: String(started['node']),
    figures: [first.now, later.now, later.most, together.most],
  };
}

/** As kubelet takes it, without what the system can take back; and the most there was, where it is known. */
async function memoryOf({
  raw,
}: Sidecar): Promise<{ readonly now: string; readonly most: string }> {
  const { memory_stats: memory } = await raw.stats({ stream: false });
  const { usage, max_usage: most, stats } = memory as MemoryStats;
  const cached = stats.total_inactive_file ?? stats.inactive_file ?? 0;
  return { now: mib(usage - cached), most: most === undefined ? '–' : mib(most) };
}

/** Of version 1 of the kernel's interface, or of version 2. */
interface MemoryStats {
  readonly usage: number;
  readonly max_usage?: number;
  readonly stats: { readonly total_inactive_file?: number; readonly inactive_file?: number };
}

function mib(bytes: number): string {
  return (bytes / (1024 * 1024)).toFixed(0);
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
