import { type FollowOptions, followFile } from '../support/follow-file.ts';
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
 * Follows the token file from rotation to rotation until `signal` aborts. An unreadable file is the
 * refresher's to report, when it needs it; here only a change counts.
 */
export function followFederatedToken(
  { onToken, ...options }: FollowTokenOptions,
  signal: AbortSignal,
): Promise<void> {
  const same = (one: FederatedToken, other: FederatedToken) =>
    one.assertion.equals(other.assertion);
  return followFile({ ...options, read: readFederatedToken, same, onContent: onToken }, signal);
}
