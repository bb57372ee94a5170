import { execFile, spawnSync } from 'node:child_process';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import type { Finding } from '../../src/check/step.ts';
import type { Environment } from '../../src/config/option.ts';
import { type Azure, ROLE, SERVER_NAME } from '../postgres/azure.ts';
import { commandHere } from '../support/command-here.ts';
import { grant } from '../support/fake-entra/ask.ts';
import type { FakeEntra } from '../support/fake-entra/server.ts';
import { findLeaks } from '../support/leak-check.ts';
import { type CommandOptions, pgpassdCommand } from '../support/pgpassd-command.ts';
import { startPgpassd } from '../support/pgpassd-process.ts';
import type { ProjectedVolume } from '../support/projected-volume.ts';
import { emptyDirectory, environmentOf, startEntra, volumeWith } from './context.ts';

/** How `check` is run: what is different from the pod as it should be. */
export interface Difference {
  readonly args?: readonly string[];
  /** `undefined` takes a variable away. */
  readonly env?: Environment;
  /** For the superuser only. */
  readonly uid?: number;
  /** A program and its arguments that pgpassd's command line is appended to. */
  readonly under?: readonly string[];
  /** Whether it is a process of its own even where it needs none. */
  readonly asProcess?: boolean;
}

/** What `check` printed, and ended with. */
interface Checked {
  readonly exitCode: number;
  readonly findings: readonly Finding[];
}

/** A pod in which everything is as it should be, until a test breaks it. */
export interface Pod {
  readonly azure: Azure;
  readonly entra: FakeEntra;
  readonly volume: ProjectedVolume;
  readonly directory: string;
  readonly passfile: string;
  /** `host:port:database:user`, as the application connects. */
  readonly connection: string;
  readonly env: Environment;
  /**
   * Runs the command: as the real program where it needs a user or mounts of its own or is asked to, else in
   * this process, which takes a twentieth of the time. Fails when it prints a secret.
   */
  check(difference?: Difference): Promise<Checked>;
  /** What the passfile should hold. */
  readonly line: string;
}

export async function openPod(azure: Azure): Promise<Pod> {
  const entra = await startEntra();
  const volume = await volumeWith(await entra.cluster.issueServiceAccountToken());
  const directory = await emptyDirectory();
  await chmod(directory, 0o755);
  const passfile = join(directory, 'pgpass');
  const connection = `${SERVER_NAME}:${azure.front.port}:${azure.client.database}:${ROLE}`;
  const { access_token: token } = await grant(entra);
  const line = `${connection}:${token}\n`;
  await writeFile(passfile, line, { mode: 0o600 });
  const env = environmentOf(entra, {
    AZURE_FEDERATED_TOKEN_FILE: volume.tokenPath,
    PGPASSFILE: passfile,
    PGPASSD_ENTRIES: connection,
    PGPASSD_HTTP_ADDRESS: 'off',
    PGHOSTADDR: azure.client.hostaddr,
    PGSSLMODE: 'verify-full',
    PGSSLROOTCERT: azure.client.rootCert,
  });
  return {
    azure,
    entra,
    volume,
    directory,
    passfile,
    connection,
    env,
    line,
    async check(difference = {}) {
      const { exitCode, output } = await run({ ...difference, env: { ...env, ...difference.env } });
      const leaks = findLeaks(output, entra.secrets());
      if (leaks.length > 0) throw new Error(`check printed a secret: ${leaks.join(', ')}`);
      return { exitCode, findings: readFindings(output) };
    },
  };
}

/**
 * Runs pgpassd in the pod, with settings of its own if need be, until its passfile is good or, as
 * expected, it failed once. Returns the settings with which `check` asks for it.
 */
export async function keepCurrent(pod: Pod, env: Environment = {}): Promise<Environment> {
  const pgpassd = startPgpassd({
    env: {
      ...pod.env,
      PGPASSD_HTTP_ADDRESS: '127.0.0.1:0',
      PGPASSD_LOG_FORMAT: 'json',
      ...env,
    },
  });
  const { httpPort } = await pgpassd.waitFor('started');
  const outcomes = ['passfile.adopted', 'token.refreshed', 'refresh.failed'];
  await pgpassd.waitFor(({ event }) => outcomes.includes(event));
  return { PGPASSD_HTTP_ADDRESS: `127.0.0.1:${httpPort}` };
}

/** Whatever the webhook and the author of the manifest set for pgpassd, and the application lacks. */
export const applicationSide: Environment = {
  AZURE_TENANT_ID: undefined,
  AZURE_CLIENT_ID: undefined,
  AZURE_AUTHORITY_HOST: undefined,
  AZURE_FEDERATED_TOKEN_FILE: undefined,
  PGPASSD_ENTRIES: undefined,
  PGPASSD_SCOPE: undefined,
};

/** Mounts a path over another one until the test has finished. */
export async function bindMount(source: string, target: string, access = 'rw'): Promise<void> {
  await promisify(execFile)('mount', ['--bind', '-o', access, source, target]);
  onTestFinished(() => void spawnSync('umount', [target]));
}

/** Mounts over a path in a namespace of its own, then becomes pgpassd: a running pgpassd does not see the mount. */
export const behindMount = (command: string): readonly string[] => [
  'unshare',
  '--mount',
  'sh',
  '-c',
  `${command} && exec "$0" "$@"`,
];

function readFindings(output: string): readonly Finding[] {
  try {
    return (JSON.parse(output) as { findings: Finding[] }).findings;
  } catch {
    throw new Error(`no findings: ${output}`);
  }
}

async function run(difference: Difference & { readonly env: Environment }): Promise<Run> {
  const {
    args = [],
    env,
    uid,
    under,
    asProcess = uid !== undefined || under !== undefined,
  } = difference;
  const words = ['check', ...args, '--json'];
  if (asProcess) return runProgram({ ...difference, args: words });
  const { exitCode, stdout, stderr } = await commandHere(words, env, onTestFinished);
  return { exitCode, output: stdout + stderr };
}

interface Run {
  readonly exitCode: number;
  readonly output: string;
}

function runProgram(options: CommandOptions): Promise<Run> {
  const { program, args, options: spawned } = pgpassdCommand(options);
  return new Promise((settle) => {
    const child = execFile(program, args, { ...spawned, cwd: '/' }, (_, stdout, stderr) =>
      settle({ exitCode: child.exitCode ?? -1, output: stdout + stderr }),
    );
    onTestFinished(() => void child.kill('SIGKILL'));
  });
}
