import { withDeadline } from '../../support/deadline.ts';
import { type Address, formatAddress, meansEveryAddress } from '../../support/text.ts';
import { daemonFailing, daemonNotReady } from '../causes/daemon.ts';
import { type Finding, firstWrong, ok, skipped, wrong } from '../finding.ts';
import { askDaemon, type Readiness } from '../network/ask-daemon.ts';
import type { Scene } from '../scene.ts';

const LONGEST_ANSWER_MS = 1_000;

/** Who was asked, and what came back; `undefined` for nobody. */
export interface Daemon {
  readonly address: string;
  readonly answer: Readiness | undefined;
}

/** Asks the pgpassd of this pod how it is; `undefined` when it is not to be asked. */
export async function findDaemon({ reading, clock, signal }: Scene): Promise<Daemon | undefined> {
  const { httpAddress } = reading.values;
  if (httpAddress === undefined || httpAddress === 'off') return undefined;
  const asked = reachable(httpAddress);
  const answer = await withDeadline(clock, LONGEST_ANSWER_MS, signal, (attempt) =>
    askDaemon(asked, attempt),
  );
  return { address: formatAddress(asked), answer };
}

/** Whether it keeps the passfile without any trouble. */
export function isAtEase(daemon: Daemon | undefined): boolean {
  const { ready = false, lastError } = daemon?.answer ?? {};
  return ready && lastError === undefined;
}

/** Whether what keeps it from getting a token is why there is none in the passfile. */
export function explains(daemon: Daemon | undefined, passfile: readonly Finding[]): boolean {
  const code = firstWrong(passfile)?.code;
  const tokenless = code === 'passfile.missing' || code === 'passfile.expired';
  return tokenless && daemon?.answer?.lastError !== undefined;
}

/** What it said. When something is wrong already, that is why it is not ready. */
export function checkDaemon(daemon: Daemon | undefined, sound: boolean): Finding {
  if (daemon === undefined) return skipped('daemon', 'not asked: --http-address is off');
  const { address, answer } = daemon;
  if (answer === undefined) {
    return skipped(
      'daemon',
      `no pgpassd answers at ${address}: none runs in this pod, or with another --http-address`,
    );
  }
  const { ready, reason, lastError } = answer;
  const said = `pgpassd at ${address}: ${reason}`;
  if (isAtEase(daemon)) return ok('daemon', said);
  if (!sound) return skipped('daemon', `${said}; see above`);
  if (lastError === undefined) return wrong('daemon', daemonNotReady({ address, reason }));
  const state = ready ? 'ready' : 'not ready';
  const failing = daemonFailing({ address, state, ...lastError });
  return wrong('daemon', { ...failing, code: lastError.code });
}

/** An address to listen on, as one to ask: containers of a pod share their loopback. */
function reachable({ host, port }: Address): Address {
  return { host: meansEveryAddress(host) ? '127.0.0.1' : host, port };
}
