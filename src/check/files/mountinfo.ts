/** One line of `/proc/PID/mountinfo`: https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html */
export interface Mount {
  /** What of its file system is mounted: a path in that file system, `/` for all of it. */
  readonly root: string;
  /** Where it is mounted, without symbolic links. */
  readonly point: string;
  readonly options: readonly string[];
  /** Such as `tmpfs` or `overlay`. */
  readonly type: string;
}

export function parseMountinfo(text: string): readonly Mount[] {
  return text.split('\n').flatMap((line): Mount[] => {
    // Any number of optional fields stands before the dash.
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

/** Blanks, line ends and backslashes are written as three octal digits of their byte. */
function unescaped(field: string): string {
  return field.replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

/** The mount that shows what is at `path`, an absolute one without symbolic links. */
export function mountOf(path: string, mounts: readonly Mount[]): Mount | undefined {
  let innermost: Mount | undefined;
  for (const mount of mounts) {
    // Of several at one point the last one hides the others.
    if (isWithin(path, mount.point) && mount.point.length >= (innermost?.point.length ?? 0)) {
      innermost = mount;
    }
  }
  return innermost;
}

function isWithin(path: string, point: string): boolean {
  return path === point || path.startsWith(point === '/' ? '/' : `${point}/`);
}

/** Where kubelet's AtomicWriter keeps one version of a volume's content, such as `..2026_11_24_03_33_07.123`. */
const VERSION = /(?:^|\/)\.\.\d{4}(?:_\d\d){5}\.[^/]+/;

/**
 * Whether the file at `path` is mounted apart from its volume, as `subPath` does it: kubelet then
 * publishes new versions elsewhere, and this file stays as it was.
 */
export function isFrozen(path: string, mounts: readonly Mount[]): boolean {
  const mount = mountOf(path, mounts);
  return mount !== undefined && (mount.point === path || VERSION.test(mount.root));
}
