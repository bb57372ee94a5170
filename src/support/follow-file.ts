import { type Attention, FileAttendant } from './attend-file.ts';

export interface FollowOptions<T> extends Omit<Attention, 'look'> {
  /** Rejects when the file cannot be read, which is no change. */
  readonly read: (path: string) => Promise<T>;
  readonly same: (one: T, other: T) => boolean;
  /** Called with the first content, and with each one that differs from the one before. */
  readonly onContent: (content: T, before: T | undefined) => void;
  /** Called once when the file stays unreadable, until it has been read again. */
  readonly onUnreadable?: (error: unknown) => void;
}

/** A single look may fall into the middle of a swap. */
const LOOKS_IN_VAIN = 2;

/**
 * Follows a file that kubelet or somebody else replaces. Changes are told by content: kubelet's
 * swaps leave no trustworthy times.
 */
export function createFollower<T>(options: FollowOptions<T>): FileAttendant {
  let known: T | undefined;
  let looksInVain = 0;
  return new FileAttendant({
    ...options,
    async look() {
      const content = await options.read(options.path).catch((error: unknown) => {
        looksInVain += 1;
        if (looksInVain === LOOKS_IN_VAIN) options.onUnreadable?.(error);
        return undefined;
      });
      if (content === undefined) return;
      looksInVain = 0;
      if (known !== undefined && options.same(known, content)) return;
      options.onContent(content, known);
      known = content;
    },
  });
}
