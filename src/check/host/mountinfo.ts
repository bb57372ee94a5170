/** One line of `/proc/PID/mountinfo`: https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html */
export interface Mount {
  /** The mounted directory or file as a path in its file system; `/` for all of it. */
  readonly root: string;
  /** Where it is mounted, without symbolic links. */
  readonly point: string;
  readonly options: readonly string[];
  /** Such as `tmpfs` or `overlay`. */
  readonly type: string;
}

export function parseMountinfo(text: string): readonly Mount[] {
  return text.split('\n').flatMap((line): Mount[] => {
    // Any number of optional fields comes before the dash.
    const [before = '', after] = line.split(' - ', 2);
    const [, , , root, point, options] = before.split(' ');
    const [type] = after?.split(' ') ?? [];
    if (root === undefined || point === undefined || type === undefined) return [];
    return [
      {
        root: unescaped(root),
        point: unescaped(point),
        options: options?.split(',') ?? [],
        type: unescaped(type),
      },
    ];
  });
}

/** Spaces, line breaks and backslashes are escaped as the three octal digits of their byte. */
function unescaped(field: string): string {
  return field.replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

/** The mount that `path` is on; the path is absolute and without symbolic links. */
export function mountOf(path: string, mounts: readonly Mount[]): Mount | undefined {
  let innermost: Mount | undefined;
  for (const mount of mounts) {
    // Of several mounts at one point, the last hides the others.
    if (isWithin(path, mount.point) && mount.point.length >= (innermost?.point.length ?? 0)) {
      innermost = mount;
    }
  }
  return innermost;
}

function isWithin(path: string, point: string): boolean {
  return path === point || path.startsWith(point === '/' ? '/' : `${point}/`);
}

/** The directory in which kubelet's AtomicWriter keeps one version of a volume's content, such as `..2026_11_24_03_33_07.123`. */
const VERSION = /(?:^|\/)\.\.\d{4}(?:_\d\d){5}\.[^/]+/;

/**
 * Whether the file at `path` is mounted apart from its volume, as with `subPath`: kubelet publishes
 * new versions of the volume elsewhere, and this file never changes.
 */
export function isFrozen(path: string, mounts: readonly Mount[]): boolean {
  const mount = mountOf(path, mounts);
  return mount !== undefined && (mount.point === path || VERSION.test(mount.root));
}
