import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { runSql, superuser } from './connect-target.ts';
import { type Binaries, type RunAs, runnableBinaries } from './embedded-binaries.ts';
import type { Server } from './server.ts';
import { shared } from './shared.ts';

const nobody = { uid: 65534, gid: 65534 };
const port = 5432;
const readyLine = 'database system is ready to accept connections';

/** Segments of 1 MiB: an empty server fills none of the usual 16. */
const initdb = `"$INITDB" --pgdata="$DIRECTORY/data" --username=${superuser} --auth=trust --encoding=UTF8 \\
    --locale=C --wal-segsize=1 --no-sync --no-instructions </dev/null >/dev/null`;

/** As fast as it goes: nobody needs the data after a crash of the machine. */
const settings = [
  "listen_addresses=''",
  'unix_socket_directories="$DIRECTORY"',
  'fsync=off',
  'full_page_writes=off',
  'wal_level=minimal',
  'max_wal_senders=0',
  'wal_init_zero=off',
  'autovacuum=off',
  'shared_buffers=16MB',
].flatMap((setting) => ['-c', setting]);

/**
 * The server lives as long as the script's stdin stays open, so it can't outlive a test process,
 * however that one ends. After `exec`, the server alone holds stderr: its end is the server's end.
 */
const serverScript = `
  trap 'rm -rf "$DIRECTORY"' EXIT
  if [ "$DATA" ]; then cp -Rp "$DATA" "$DIRECTORY/data"; else ${initdb}; fi || exit 1
  "$POSTGRES" -D "$DIRECTORY/data" -p ${port} ${settings.join(' ')} </dev/null &
  exec 2>/dev/null
  read -r _
  kill -INT $!
  wait $!
`;

const madeLine = 'made';

const dataScript = `
  trap 'rm -rf "$DIRECTORY"' EXIT
  ${initdb} || exit 1
  echo ${madeLine} >&2
  read -r _
`;

type Supervisor = ChildProcessByStdio<Writable, null, Readable>;

/** A real PostgreSQL of its own, reachable only through a socket in its private directory. */
export async function startEmbeddedServer(reason: string): Promise<Server> {
  const runAs = whoToRunAs();
  const directory = await makeDirectory(runAs);
  let supervisor: Supervisor | undefined;
  const stop = async (): Promise<void> => {
    if (supervisor) await end(supervisor);
    await rm(directory, { recursive: true, force: true });
  };
  try {
    const binaries = await runnableBinaries(directory, runAs);
    const data = await shared('data');
    supervisor = supervise(serverScript, { directory, binaries, runAs, data });
    await printed(supervisor.stderr, readyLine);
    const target = { path: join(directory, `.s.PGSQL.${port}`) };
    return {
      description: `embedded PostgreSQL ${binaries.version} (${reason})`,
      connectTarget: target,
      sql: (text, database) => runSql(target, text, database),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The data directory of a server that has never run, for others to copy. */
export async function makeDataDirectory(): Promise<{ path: string; remove(): Promise<void> }> {
  const runAs = whoToRunAs();
  const directory = await makeDirectory(runAs);
  const binaries = await runnableBinaries(directory, runAs);
  const supervisor = supervise(dataScript, { directory, binaries, runAs });
  await printed(supervisor.stderr, madeLine);
  return { path: join(directory, 'data'), remove: () => end(supervisor) };
}

const whoToRunAs = (): RunAs => (process.getuid?.() === 0 ? nobody : {});

/** PostgreSQL refuses to run as root, and root's own TMPDIR may be closed to others. */
async function makeDirectory(runAs: RunAs): Promise<string> {
  const parent = 'uid' in runAs ? '/tmp' : tmpdir();
  const directory = await mkdtemp(join(parent, 'pgpassd-postgres-'));
  if ('uid' in runAs) await chown(directory, runAs.uid, runAs.gid);
  return directory;
}

interface Surroundings {
  readonly directory: string;
  readonly binaries: Binaries;
  readonly runAs: RunAs;
  /** What to copy instead of running initdb. */
  readonly data?: string | undefined;
}

/** Detached: Ctrl+C in a terminal reaches us, and we end the server. */
function supervise(script: string, { directory, binaries, runAs, data }: Surroundings): Supervisor {
  return spawn('/bin/sh', ['-c', script], {
    ...runAs,
    cwd: directory,
    detached: true,
    stdio: ['pipe', 'ignore', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      LC_ALL: 'C',
      DIRECTORY: directory,
      INITDB: binaries.initdb,
      POSTGRES: binaries.postgres,
      DATA: data,
    },
  });
}

async function printed(log: Readable, wanted: string): Promise<void> {
  const lines: string[] = [];
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: log })
      .on('line', (line) => {
        lines.push(line);
        if (line.includes(wanted)) resolve();
      })
      .on('close', () => reject(new Error(`PostgreSQL did not start:\n${lines.join('\n')}`)));
  });
}

async function end(supervisor: Supervisor): Promise<void> {
  const ended = supervisor.exitCode !== null || supervisor.signalCode !== null;
  supervisor.stdin.on('error', () => {});
  supervisor.stdin.end();
  if (!ended) await once(supervisor, 'exit');
}
