import { withDeadline } from '../../support/clock.ts';
import { failure } from '../../support/errors.ts';
import { type Address, formatAddress, meansEveryAddress } from '../../support/network.ts';
import { askDaemon, type Readiness } from '../network.ts';
import { type CheckContext, type Finding, firstWrong, ok, skipped, wrong } from '../step.ts';

export const daemonNotReady = failure<'address' | 'reason'>(
  'daemon-not-ready',
  'passfile.expired',
  ({ address, reason }) => ({
    found: `pgpassd at ${address} is not ready: ${reason}`,
    remedy: 'Read its log; settings in its args can differ from those that this command sees.',
  }),
);

export const daemonFailing = failure<'address' | 'state' | 'message' | 'remedy'>(
  'daemon-failing',
  'entra.unavailable',
  ({ address, state, message, remedy }) => ({
    found: `pgpassd at ${address} is ${state}, and its last attempt failed: ${message}`,
    remedy: `${remedy}`,
  }),
);

const LONGEST_ANSWER_MS = 1_000;

/** The pgpassd that was asked. */
export interface DaemonStatus {
  readonly address: string;
  /** `undefined` when no pgpassd answered. */
  readonly answer: Readiness | undefined;
}

/** Asks the pgpassd of this pod for its readiness; `undefined` when its HTTP server is off. */
export async function findDaemon({
  reading,
  clock,
  signal,
}: CheckContext): Promise<DaemonStatus | undefined> {
  const { httpAddress } = reading.values;
  if (httpAddress === undefined || httpAddress === 'off') return undefined;
  const asked = reachable(httpAddress);
  const answer = await withDeadline(clock, LONGEST_ANSWER_MS, signal, (attempt) =>
    askDaemon(asked, attempt),
  );
  return { address: formatAddress(asked), answer };
}

/** Whether it keeps the passfile up to date without errors. */
export function isHealthy(daemon: DaemonStatus | undefined): boolean {
  const { ready = false, lastError } = daemon?.answer ?? {};
  return ready && lastError === undefined;
}

/** Whether the passfile has no valid token because the daemon fails to get one. */
export function explains(daemon: DaemonStatus | undefined, passfile: readonly Finding[]): boolean {
  const code = firstWrong(passfile)?.code;
  const tokenless = code === 'passfile.missing' || code === 'passfile.expired';
  return tokenless && daemon?.answer?.lastError !== undefined;
}

/** What it answered. Unless everything else is `sound`, the reason is among the other findings. */
export function checkDaemon(daemon: DaemonStatus | undefined, sound: boolean): Finding {
  if (daemon === undefined) return skipped('daemon', 'not asked: --http-address is off');
  const { address, answer } = daemon;
  if (answer === undefined) {
    return skipped(
      'daemon',
      `no pgpassd answers at ${address}: none runs in this pod, or it has another --http-address`,
    );
  }
  const { ready, reason, lastError } = answer;
  const status = `pgpassd at ${address}: ${reason}`;
  if (isHealthy(daemon)) return ok('daemon', status);
  if (!sound) return skipped('daemon', `${status}; see above`);
  if (lastError === undefined) return wrong('daemon', daemonNotReady({ address, reason }));
  const state = ready ? 'ready' : 'not ready';
  const failing = daemonFailing({ address, state, ...lastError });
  return wrong('daemon', { ...failing, code: lastError.code });
}

/** An address to listen on, as one to ask: the containers of a pod share their loopback. */
function reachable({ host, port }: Address): Address {
  return { host: meansEveryAddress(host) ? '127.0.0.1' : host, port };
}
