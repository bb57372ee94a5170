import { resolve } from 'node:path';
import type { Environment } from '../config/option.ts';
import type { WorkloadIdentitySettings } from '../config/source.ts';
import { createDirectWay } from '../entra/direct-way.ts';
import { createExchange, type Exchange } from '../entra/exchange.ts';
import { objectionsTo } from '../entra/issued-for.ts';
import { createTokenProxyWay } from '../entra/token-proxy-way.ts';
import type { Way } from '../entra/way.ts';
import { createTokenFollower } from '../federated-token/follow.ts';
import type { FederatedToken } from '../federated-token/token.ts';
import type { PassfileRefresher } from '../refresh/create-refresher.ts';
import { errorOf } from '../support/failure.ts';
import { POLL_INTERVAL_MS } from '../support/file-watcher.ts';
import { asksForNoVerification } from '../support/verification.ts';
import { USER_AGENT } from '../version.ts';
import { createWorkloadIdentity, rotationCallsForRefresh } from './federated-exchange.ts';
import type { OpenedSource, SourceContext } from './source.ts';
import { timed } from './timed.ts';

/** Entra workload identity, with its federated token followed from rotation to rotation. */
export async function openWorkloadIdentity(
  settings: WorkloadIdentitySettings,
  context: SourceContext,
): Promise<OpenedSource> {
  const { requestTimeoutMs, env, clock, onEvent, secrets } = context;
  const path = resolve(settings.federatedTokenFile);
  const way = await wayOf(settings, env);
  if (asksForNoVerification(env)) onEvent({ type: 'verification.kept' });
  const exchange = createExchange({
    settings: settings.exchange,
    way,
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

/** How the token endpoint is reached. Throws PgpassdError `config.invalid`. */
export async function wayOf(
  { caFile, tokenProxy }: Pick<WorkloadIdentitySettings, 'caFile' | 'tokenProxy'>,
  env: Environment,
): Promise<Way> {
  if (tokenProxy !== undefined) return await createTokenProxyWay(tokenProxy);
  return await createDirectWay({
    caFile,
    httpsProxy: env['https_proxy'] || env['HTTPS_PROXY'],
    noProxy: env['no_proxy'] || env['NO_PROXY'],
  });
}
