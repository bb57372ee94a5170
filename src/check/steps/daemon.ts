import type { HttpAddress } from '../../config/values.ts';
import { daemonFailing, daemonNotReady } from '../causes/daemon.ts';
import { type Finding, ok, skipped, wrong } from '../finding.ts';
import { askDaemon, type Readiness } from '../network/ask-daemon.ts';
import type { Scene } from '../scene.ts';

const LONGEST_ANSWER_MS = 1_000;

/** Who was asked, and what came back; `undefined` for nobody. */
export interface Daemon {
  readonly address: string;
  readonly answer: Readiness | undefined;
}

/** Asks the pgpassd of this pod how it is; `undefined` when it is not to be asked. */
export async function findDaemon({ reading }: Scene): Promise<Daemon | undefined> {
  const { httpAddress } = reading.values;
  if (httpAddress === undefined || httpAddress === 'off') return undefined;
  const asked = reachable(httpAddress);
  return {
    address: `${asked.host}:${asked.port}`,
    answer: await askDaemon(asked, LONGEST_ANSWER_MS),
  };
}

/** What it said. When something is wrong already, that is why it is not ready. */
export function checkDaemon(daemon: Daemon | undefined, sound: boolean): Finding {
  if (daemon === undefined) return skipped('daemon', 'not asked: --http-address is off');
  const { address, answer } = daemon;
  if (answer === undefined) {
    return skipped(
      'daemon',
      `no pgpassd answers at ${address}: it does not run beside this container`,
    );
  }
  const { ready, reason, lastError } = answer;
  const said = `pgpassd at ${address}: ${reason}`;
  if (ready && lastError === undefined) return ok('daemon', said);
  if (!sound) return skipped('daemon', `${said}; see above`);
  return lastError === undefined || !ready
    ? wrong('daemon', daemonNotReady, { address, reason: lastError?.message ?? reason })
    : wrong('daemon', daemonFailing, { address, ...lastError });
}

/** An address to listen on, as one to ask: containers of a pod share their loopback. */
function reachable({ host, port }: HttpAddress): HttpAddress {
  return ['', '0.0.0.0', '::'].includes(host) ? { host: '127.0.0.1', port } : { host, port };
}
