import type { WorkloadIdentitySettings } from '../../config/config.ts';
import { openTransport } from '../../entra/transport.ts';
import { asPgpassdError, PgpassdError } from '../../support/errors.ts';
import { type Finding, skipped } from '../finding.ts';
import { obstacleIn, progressIn } from '../network/describe-trip.ts';
import { reach, type Trip } from '../network/reach.ts';
import { type Scene, timeoutMsOf } from '../scene.ts';
import type { AuthorityClock } from './clocks.ts';

const STEP = 'network';

export interface NetworkReport {
  readonly findings: readonly Finding[];
  /** Whether an exchange is worth trying. */
  readonly reached: boolean;
  /** Absent when no answer told its date. */
  readonly authority: AuthorityClock | undefined;
}

/** The way to whoever answers requests for tokens: names, connections, TLS, with or without a proxy. */
export async function checkNetwork(scene: Scene): Promise<NetworkReport> {
  const { reading } = scene;
  const { source } = reading;
  const { values } = reading;
  if (values.offline === true) return notTried('left alone: --offline', false);
  if (values.tokenCommand !== undefined) {
    return notTried('not tried: the token command goes a way of its own', true);
  }
  if (source?.kind !== 'workload-identity') {
    return notTried('not tried: it takes settings that are whole', false);
  }
  return await goThere(source, timeoutMsOf(scene), scene);
}

function notTried(why: string, reached: boolean): NetworkReport {
  return { findings: [skipped(STEP, why)], reached, authority: undefined };
}

async function goThere(
  settings: WorkloadIdentitySettings,
  timeoutMs: number,
  { clock, env, signal }: Scene,
): Promise<NetworkReport> {
  const transport = await openTransport(settings, env).catch(asPgpassdError);
  if (transport instanceof PgpassdError) {
    return notTried(`not tried: ${transport.message}`, false);
  }
  const startedMs = clock.now().monotonicMs;
  const trip = await reach(settings.exchange.tokenEndpoint, transport, {
    clock,
    timeoutMs,
    signal,
  });
  if (signal.aborted) return notTried('broken off', false);
  const url = new URL(transport.urlFor(settings.exchange.tokenEndpoint));
  const tookMs = clock.now().monotonicMs - startedMs;
  const obstacle = obstacleIn(trip, url, transport.kind, tookMs);
  const progress = progressIn(trip, url);
  return {
    findings: obstacle === undefined ? progress : [...progress, obstacle],
    reached: obstacle === undefined,
    authority: clockOf(trip, url.host),
  };
}

/** A date is of a whole second, in the middle of which it is taken to have been written. */
function clockOf({ answer }: Trip, host: string): AuthorityClock | undefined {
  const { date, age } = answer?.headers ?? {};
  // An answer out of a cache tells when it was put there.
  if (answer === undefined || typeof date !== 'string' || age !== undefined) return undefined;
  const toldMs = Date.parse(date);
  if (Number.isNaN(toldMs)) return undefined;
  return { host, leadMs: toldMs + 500 - answer.receivedAtMs };
}
