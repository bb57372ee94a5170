import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';

/** A cgroup whose processes share a limited memory, the page cache included, as a container's do. */
export interface MemoryCgroup {
  /** Runs the command after it inside the cgroup. */
  readonly enter: readonly string[];
  /** How many of its processes the kernel has killed for want of memory. */
  kills(): number;
  /** Once its processes have ended. */
  remove(): Promise<void>;
}

/** Where the two versions of the interface differ. */
interface Version {
  readonly root: string;
  readonly limit: string;
  readonly events: string;
}

// https://docs.kernel.org/admin-guide/cgroup-v1/memory.html
const version1: Version = {
  root: '/sys/fs/cgroup/memory',
  limit: 'memory.limit_in_bytes',
  events: 'memory.oom_control',
};

// https://docs.kernel.org/admin-guide/cgroup-v2.html
const version2: Version = {
  root: '/sys/fs/cgroup',
  limit: 'memory.max',
  events: 'memory.events',
};

const version = existsSync(version1.root) ? version1 : version2;
const BYTES_PER_MIB = 1024 * 1024;
let made = 0;

/** Takes root, and a file system of cgroups that is not read-only as in most containers. */
export function canLimitMemory(): boolean {
  try {
    rmdirSync(makeLimited(64));
    return true;
  } catch {
    return false;
  }
}

export function openMemoryCgroup(limitMiB: number): MemoryCgroup {
  const path = makeLimited(limitMiB);
  const processes = join(path, 'cgroup.procs');
  return {
    enter: ['/bin/sh', '-c', `echo $$ > ${processes} && exec "$@"`, 'sh'],
    kills: () =>
      Number(/^oom_kill (\d+)$/m.exec(readFileSync(join(path, version.events), 'utf8'))?.[1]),
    async remove() {
      while (readFileSync(processes, 'utf8') !== '') await setImmediate();
      rmdirSync(path);
    },
  };
}

function makeLimited(limitMiB: number): string {
  made += 1;
  const path = join(version.root, `pgpassd-test-${process.pid}-${made}`);
  mkdirSync(path);
  try {
    writeFileSync(join(path, version.limit), `${limitMiB * BYTES_PER_MIB}`);
  } catch (error) {
    rmdirSync(path);
    throw error;
  }
  return path;
}
