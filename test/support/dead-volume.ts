import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';

/** A file system in user space whose server reads no request: whoever asks for a file waits. */
const mountDead =
  'exec 3<>/dev/fuse && mount -i -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0 dead "$0"';

export function canMountDeadVolume(): boolean {
  const { status } = spawnSync('unshare', ['--mount', 'sh', '-c', mountDead, '/mnt']);
  return process.getuid?.() === 0 && status === 0;
}

/** Mounts a volume that does not answer over a directory. Returns how to unmount it. */
export async function mountDeadVolume(directory: string): Promise<() => Promise<void>> {
  const server = spawn('sh', ['-c', `${mountDead} && echo mounted && exec cat`, directory], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(server.stdout, 'data');
  return async () => {
    await promisify(execFile)('umount', ['--lazy', directory]);
    server.stdin.end();
    await once(server, 'close');
  };
}
