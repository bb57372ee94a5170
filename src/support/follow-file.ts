import { type Attention, FileAttendant } from './attend-file.ts';

export interface FollowOptions<T> extends Omit<Attention, 'look'> {
  /** Rejects while the file cannot be read; that is no change. */
  readonly read: (path: string) => Promise<T>;
  readonly same: (one: T, other: T) => boolean;
  /** Called with the first content, and with each one that differs from the one before. */
  readonly onContent: (content: T, before: T | undefined) => void;
}

/**
 * Follows a file that kubelet or somebody else replaces. Changes are told by content: kubelet's
 * swaps leave no trustworthy times.
 */
export function createFollower<T>(options: FollowOptions<T>): FileAttendant {
  let known: T | undefined;
  return new FileAttendant({
    ...options,
    async look() {
      const content = await options.read(options.path).catch(() => undefined);
      if (content === undefined || (known !== undefined && options.same(known, content))) return;
      options.onContent(content, known);
      known = content;
    },
  });
}
