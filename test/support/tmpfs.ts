import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Root may lack the capability, in a container for one. */
export function canMount(): boolean {
  const { status } = spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'probe', '/mnt']);
  return process.getuid?.() === 0 && status === 0;
}

export interface Tmpfs {
  remount(access: 'ro' | 'rw'): Promise<void>;
  unmount(): Promise<void>;
}

/** Mounts a memory file system of `sizeKiB` over a directory. */
export async function mountTmpfs(directory: string, sizeKiB: number): Promise<Tmpfs> {
  await run('mount', ['-t', 'tmpfs', '-o', `size=${sizeKiB}k`, 'pgpassd-test', directory]);
  return {
    remount: async (access) => {
      await run('mount', ['-o', `remount,${access}`, directory]);
    },
    unmount: async () => {
      await run('umount', [directory]);
    },
  };
}
