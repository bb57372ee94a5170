import { createFollower, type FileWatcher, type FollowOptions } from '../support/file-watcher.ts';
import { readFederatedToken } from './read.ts';
import type { FederatedToken } from './token.ts';

type FollowTokenOptions = Pick<
  FollowOptions<FederatedToken>,
  'path' | 'clock' | 'pollIntervalMs' | 'watching' | 'onWatchFailed'
> & {
  /** Called with the first readable token, and with each one that differs from the one before. */
  readonly onToken: FollowOptions<FederatedToken>['onContent'];
};

/**
 * Follows the token file from rotation to rotation. An unreadable file is the refresher's to report,
 * when it needs it; here only a change counts.
 */
export function createTokenFollower({ onToken, ...options }: FollowTokenOptions): FileWatcher {
  const same = (one: FederatedToken, other: FederatedToken) =>
    one.assertion.equals(other.assertion);
  return createFollower({ ...options, read: readFederatedToken, same, onContent: onToken });
}
