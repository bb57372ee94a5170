import { resolve } from 'node:path';
import type { WorkloadIdentitySettings } from '../config/source.ts';
import { createExchange, type Exchange } from '../entra/exchange.ts';
import { objectionsTo } from '../entra/request.ts';
import { openTransport } from '../entra/transport.ts';
import {
  assertUnexpired,
  createTokenFollower,
  type FederatedToken,
  readFederatedToken,
  rotationCallsForRefresh,
} from '../federated-token/federated-token.ts';
import type { PassfileRefresher } from '../refresh/create-refresher.ts';
import type { FetchToken } from '../refresh/refresher.ts';
import type { AccessToken } from '../support/access-token.ts';
import type { Clock } from '../support/clock.ts';
import { errorOf, PgpassdError } from '../support/errors.ts';
import { POLL_INTERVAL_MS } from '../support/file-watcher.ts';
import { asksForNoVerification } from '../support/network.ts';
import { USER_AGENT } from '../version.ts';
import { type OpenedSource, type SourceContext, timed } from './source.ts';

/** Entra workload identity; its federated token is followed from rotation to rotation. */
export async function openWorkloadIdentity(
  settings: WorkloadIdentitySettings,
  context: SourceContext,
): Promise<OpenedSource> {
  const { requestTimeoutMs, env, clock, onEvent, secrets } = context;
  const path = resolve(settings.federatedTokenFile);
  const transport = await openTransport(settings, env);
  if (asksForNoVerification(env)) onEvent({ type: 'verification.kept' });
  const exchange = createExchange({
    settings: settings.exchange,
    transport,
    clock,
    requestTimeoutMs,
    userAgent: USER_AGENT,
    secrets,
  });
  const timedExchange: Exchange = (federated, signal) =>
    timed(context, signal, () => exchange(federated, signal));
  const identity = createWorkloadIdentity(path, timedExchange, clock);

  const noticeToken = (
    refresher: PassfileRefresher,
    federated: FederatedToken,
    before: FederatedToken | undefined,
  ) => {
    const refreshing = rotationCallsForRefresh({
      federated,
      lastSent: identity.lastSent(),
      tokenValid: refresher.tokenInPlace !== undefined,
      failing: refresher.failing,
    });
    onEvent({
      type: before === undefined ? 'federated-token.found' : 'federated-token.changed',
      identity: federated.identity,
      expiresAtMs: federated.expiresAtMs,
      refreshing,
    });
    if (refreshing) refresher.refresh('rotation');
  };

  return {
    fetch: identity.fetch,
    objectionTo(claims) {
      const [objection] = objectionsTo(claims, settings.exchange);
      return objection && errorOf(objection);
    },
    run: (refresher, signal) =>
      createTokenFollower({
        path,
        clock,
        pollIntervalMs: POLL_INTERVAL_MS,
        watching: true,
        onToken: (federated, before) => noticeToken(refresher, federated, before),
        onWatchFailed: (error) => onEvent({ type: 'watch.failed', what: 'federated-token', error }),
      }).run(signal),
  };
}

export interface WorkloadIdentity {
  readonly fetch: FetchToken;
  /** The federated token of the last exchange, successful or not. */
  lastSent(): FederatedToken | undefined;
}

/** Reads the federated token for each access token, then exchanges it. */
export function createWorkloadIdentity(
  path: string,
  exchange: Exchange,
  clock: Clock,
): WorkloadIdentity {
  let lastSent: FederatedToken | undefined;
  const readUnexpired = async () => {
    const federated = await readFederatedToken(path);
    assertUnexpired(federated, clock.now().wallMs);
    return federated;
  };
  const send = (federated: FederatedToken, signal: AbortSignal): Promise<AccessToken> => {
    lastSent = federated;
    return exchange(federated, signal);
  };
  return {
    lastSent: () => lastSent,
    async fetch(signal) {
      const federated = await readUnexpired();
      try {
        return await send(federated, signal);
      } catch (error) {
        if (!isOutOfTime(error)) throw error;
        // Kubelet may have rotated the token while the request was on its way.
        const rotated = await readUnexpired().catch(() => federated);
        if (rotated.assertion.equals(federated.assertion)) throw error;
        return await send(rotated, signal);
      }
    },
  };
}

/** "Client assertion is not within its valid time range." */
function isOutOfTime(error: unknown): boolean {
  return error instanceof PgpassdError && error.details.aadsts === 'AADSTS700024';
}
