import { spawnSync } from 'node:child_process';

/** In a user namespace of its own a process meets a limit of its own: user_namespaces(7). */
export const withoutInotify = [
  'unshare',
  '--user',
  '--map-root-user',
  'sh',
  '-c',
  'echo 0 > /proc/sys/user/max_inotify_instances && exec "$0" "$@"',
];

export function canExhaustInotify(): boolean {
  const [program = '', ...args] = withoutInotify;
  return spawnSync(program, [...args, 'true']).status === 0;
}
