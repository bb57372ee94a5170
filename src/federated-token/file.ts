import { systemErrorCode } from '../support/errors.ts';
import { errorOf, failure } from '../support/failure.ts';
import { createFollower, type FileWatcher, type FollowOptions } from '../support/file-watcher.ts';
import { readRegularFile, UnusableFile } from '../support/files.ts';
import { type FederatedToken, parseFederatedToken } from './token.ts';

/** Far above any service-account token; a larger file is the wrong file. */
const LARGEST_TOKEN_BYTES = 64 * 1024;

export const federatedTokenMissing = failure<'path'>(
  'federated-token-missing',
  'federated-token.missing',
  ({ path }) => ({
    found: `the federated token file ${path} does not exist`,
    remedy:
      'Check that the pod template carries the label azure.workload.identity/use: "true" and that the volume is mounted here.',
  }),
);

export const federatedTokenUnreadable = failure<'path' | 'problem'>(
  'federated-token-unreadable',
  'federated-token.unreadable',
  ({ path, problem }) => ({
    found: `the federated token file ${path} ${problem}`,
    remedy:
      'Run pgpassd as a user who may read the projected token, and point --federated-token-file at the file itself.',
  }),
);

/**
 * The token as it is now; a swap by kubelet during the read is never seen half.
 *
 * @throws PgpassdError `federated-token.*`
 */
export async function readFederatedToken(path: string): Promise<FederatedToken> {
  return parseFederatedToken(await readWhole(path), path);
}

async function readWhole(path: string): Promise<string> {
  try {
    const bytes = await readRegularFile(path, LARGEST_TOKEN_BYTES).catch((error: unknown) => {
      // Kubelet may remove the old directory after its link was resolved, and before the file is opened.
      if (systemErrorCode(error) === 'ENOENT') return readRegularFile(path, LARGEST_TOKEN_BYTES);
      throw error;
    });
    return bytes.toString('utf8');
  } catch (error) {
    throw explain(error, path);
  }
}

function explain(cause: unknown, path: string): unknown {
  const code = systemErrorCode(cause);
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return errorOf(federatedTokenMissing({ path }), { cause });
  }
  if (!(cause instanceof UnusableFile)) return cause;
  return errorOf(federatedTokenUnreadable({ path, problem: cause.message }), { cause });
}

type FollowTokenOptions = Pick<
  FollowOptions<FederatedToken>,
  'path' | 'clock' | 'pollIntervalMs' | 'watching' | 'onWatchFailed'
> & {
  /** Called with the first readable token, and with each one that differs from the one before. */
  readonly onToken: FollowOptions<FederatedToken>['onContent'];
};

/**
 * Follows the token file from rotation to rotation. An unreadable file is reported by the refresher when
 * it needs the token; here only changes count.
 */
export function createTokenFollower({ onToken, ...options }: FollowTokenOptions): FileWatcher {
  const same = (one: FederatedToken, other: FederatedToken) =>
    one.assertion.equals(other.assertion);
  return createFollower({ ...options, read: readFederatedToken, same, onContent: onToken });
}
