import { resolve } from 'node:path';
import type { Config } from '../config/config.ts';
import type { Environment } from '../config/given.ts';
import { createDispatcher } from '../entra/dispatcher.ts';
import { createExchange } from '../entra/exchange.ts';
import { issuedFor } from '../entra/issued-for.ts';
import { followFederatedToken } from '../federated-token/follow.ts';
import { createPassfile, type Passfile } from '../passfile/passfile.ts';
import type { RefreshEvent } from '../refresh/events.ts';
import { Refresher } from '../refresh/refresher.ts';
import { createWorkloadIdentity, rotationCallsForRefresh } from '../refresh/workload-identity.ts';
import type { Clock } from '../support/clock.ts';
import { USER_AGENT } from '../version.ts';

/** Besides watching: inotify can be exhausted on a node, and some file systems tell nothing. */
const POLL_INTERVAL_MS = 30_000;

export interface Daemon {
  readonly refresher: Refresher;
  readonly passfile: Passfile;
  /** Runs until `signal` aborts, then releases everything in reverse. */
  run(signal: AbortSignal): Promise<void>;
}

/** Puts the stages together, for `run` and `once` alike. Throws PgpassdError `config.invalid`. */
export async function createDaemon(
  config: Config,
  env: Environment,
  clock: Clock,
  onEvent: (event: RefreshEvent) => void,
): Promise<Daemon> {
  const path = resolve(config.federatedTokenFile);
  const dispatcher = await createDispatcher({
    caFile: config.caFile,
    httpProxy: env['http_proxy'] || env['HTTP_PROXY'],
    httpsProxy: env['https_proxy'] || env['HTTPS_PROXY'],
    noProxy: env['no_proxy'] || env['NO_PROXY'],
  });
  const exchange = createExchange({
    settings: config.exchange,
    dispatcher,
    clock,
    requestTimeoutMs: config.requestTimeoutMs,
    userAgent: USER_AGENT,
  });
  const identity = createWorkloadIdentity(path, exchange, clock);
  const target = { path: resolve(config.passfile), mode: config.mode, owner: ownerOf(config) };
  const passfile = createPassfile(target, config.entries, (claims) =>
    issuedFor(claims, config.exchange),
  );
  const refresher = new Refresher({
    fetchToken: identity.fetchToken,
    passfile,
    clock,
    random: Math.random,
    refreshFraction: config.refreshFraction,
    onEvent,
  });
  const follow = (signal: AbortSignal) =>
    followFederatedToken(
      {
        path,
        clock,
        pollIntervalMs: POLL_INTERVAL_MS,
        watching: true,
        onToken: (federated, before) => {
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
          if (refreshing) refresher.ask('rotation');
        },
        onWatchFailed: (error) => onEvent({ type: 'federated-token.watch-failed', error }),
      },
      signal,
    );

  return {
    refresher,
    passfile,
    async run(signal) {
      try {
        await Promise.all([refresher.run(signal), follow(signal)]);
      } finally {
        await dispatcher.destroy();
      }
    },
  };
}

function ownerOf({ owner }: Config): { uid: number; gid: number } | undefined {
  return owner && { uid: owner.uid, gid: owner.gid ?? process.getgid?.() ?? owner.uid };
}
