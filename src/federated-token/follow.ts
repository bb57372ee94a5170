import type { Clock } from '../support/clock.ts';
import { type DirectoryWatch, watchableDirectory, watchDirectory } from './directory-watch.ts';
import { readFederatedToken } from './read.ts';
import type { FederatedToken } from './token.ts';

export interface FollowOptions {
  readonly path: string;
  readonly clock: Clock;
  /** How often the file is read whatever the watching says; `Infinity` for never. */
  readonly pollIntervalMs: number;
  /** Whether to watch the directory besides polling. */
  readonly watching: boolean;
  /** Called with the first readable token, and with each one that differs from the one before. */
  readonly onToken: (federated: FederatedToken, before: FederatedToken | undefined) => void;
  /** Watching does not work here; polling goes on. Called once. */
  readonly onWatchFailed: (error: unknown) => void;
}

/**
 * Follows the token file from rotation to rotation until `signal` aborts. Changes are told by
 * content: kubelet's swaps leave no trustworthy times.
 */
export async function followFederatedToken(
  options: FollowOptions,
  signal: AbortSignal,
): Promise<void> {
  const { path, clock, pollIntervalMs } = options;
  let known: FederatedToken | undefined;
  let watch: DirectoryWatch | undefined;
  let failureTold = false;
  let wake = new AbortController();
  const rouse = () => wake.abort();
  signal.addEventListener('abort', rouse);

  const check = async () => {
    // The refresher reports an unreadable file when it needs it; here only a change counts.
    const federated = await readFederatedToken(path).catch(() => undefined);
    if (federated === undefined || known?.assertion.equals(federated.assertion)) return;
    options.onToken(federated, known);
    known = federated;
  };

  const listener = {
    onChange: rouse,
    onEnd: (error?: unknown) => {
      void watch?.close();
      watch = undefined;
      if (error === undefined || failureTold) return;
      failureTold = true;
      options.onWatchFailed(error);
    },
  };

  // The volume may appear, or be mounted anew, after us: each round looks where to watch.
  const keepWatching = async () => {
    const directory = await watchableDirectory(path);
    if (watch?.directory === directory) return;
    await watch?.close();
    watch = await watchDirectory(directory, path, listener);
  };

  while (!signal.aborted) {
    wake = new AbortController();
    if (options.watching && !failureTold) await keepWatching().catch(listener.onEnd);
    await check();
    if (!signal.aborted) await clock.sleep(pollIntervalMs, wake.signal);
  }
  signal.removeEventListener('abort', rouse);
  await watch?.close();
}
