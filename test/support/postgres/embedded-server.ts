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

const nobody = { uid: 65534, gid: 65534 };
const port = 5432;
const readyLine = 'database system is ready to accept connections';

/**
 * The server lives as long as the script's stdin stays open, so it can't outlive a test process,
 * however that one ends. After `exec`, the server alone holds stderr: its end is the server's end.
 */
const superviseScript = `
  trap 'rm -rf "$DIRECTORY"' EXIT
  "$INITDB" --pgdata="$DIRECTORY/data" --username=${superuser} --auth=trust --encoding=UTF8 \\
    --locale=C --no-sync --no-instructions </dev/null >/dev/null || exit 1
  "$POSTGRES" -D "$DIRECTORY/data" -p ${port} -c listen_addresses='' \\
    -c unix_socket_directories="$DIRECTORY" -c fsync=off -c shared_buffers=16MB </dev/null &
  exec 2>/dev/null
  read -r _
  kill -INT $!
  wait $!
`;

type Supervisor = ChildProcessByStdio<Writable, null, Readable>;

/** A real PostgreSQL of its own, reachable only through a socket in its private directory. */
export async function startEmbeddedServer(reason: string): Promise<Server> {
  const runAs: RunAs = process.getuid?.() === 0 ? nobody : {};
  const directory = await makeDirectory(runAs);
  let supervisor: Supervisor | undefined;
  const stop = async (): Promise<void> => {
    if (supervisor) await end(supervisor);
    await rm(directory, { recursive: true, force: true });
  };
  try {
    const binaries = await runnableBinaries(directory, runAs);
    supervisor = supervise(directory, binaries, runAs);
    await ready(supervisor.stderr);
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

/** PostgreSQL refuses to run as root, and root's own TMPDIR may be closed to others. */
async function makeDirectory(runAs: RunAs): Promise<string> {
  const parent = 'uid' in runAs ? '/tmp' : tmpdir();
  const directory = await mkdtemp(join(parent, 'pgpassd-postgres-'));
  if ('uid' in runAs) await chown(directory, runAs.uid, runAs.gid);
  return directory;
}

/** Detached: Ctrl+C in a terminal reaches us, and we end the server. */
function supervise(directory: string, binaries: Binaries, runAs: RunAs): Supervisor {
  return spawn('/bin/sh', ['-c', superviseScript], {
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
    },
  });
}

async function ready(log: Readable): Promise<void> {
  const lines: string[] = [];
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: log })
      .on('line', (line) => {
        lines.push(line);
        if (line.includes(readyLine)) resolve();
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
