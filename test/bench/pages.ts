import { collectDefaultMetrics, Registry } from 'prom-client';
import { createMetrics } from '../../src/observe/metrics.ts';
import {
  type DaemonState,
  initialState,
  type RefreshEvent,
  stateAfter,
  type TokenInPlace,
} from '../../src/refresh/events.ts';
import { systemClock } from '../../src/support/clock.ts';
import { PgpassdError, refreshErrorCodes } from '../../src/support/errors.ts';
import { seededRandom } from '../support/random.ts';

export interface Page {
  readonly name: string;
  readonly render: () => Promise<string>;
}

const REFRESHES = 10_000;

export const pages: readonly Page[] = [
  { name: 'an empty page', render: async () => '' },
  { name: 'pgpassd, just started', render: pgpassdAfter(0) },
  { name: `pgpassd, ${REFRESHES.toLocaleString('en')} refreshes`, render: pgpassdAfter(REFRESHES) },
  { name: "prom-client's default metrics", render: defaultMetrics() },
];

/** Its metrics after so many refreshes, of which every tenth failed before, for each reason in turn. */
function pgpassdAfter(refreshes: number): Page['render'] {
  let state: DaemonState = initialState;
  const metrics = createMetrics({
    state: () => state,
    version: '1.2.3',
    node: process.versions.node,
    process: { startedAtMs: systemClock.now().wallMs, cpuSeconds: () => 1, residentBytes: () => 1 },
  });
  const random = seededRandom(20261124);
  for (let count = 0; count < refreshes; count += 1) {
    const failure = count % 10 === 0 ? [failed(count / 10)] : [];
    for (const event of [...failure, ...refreshed(50 + random() * 1950)]) {
      state = stateAfter(state, event, systemClock.now());
      metrics.note(event);
    }
  }
  return metrics.render;
}

function failed(count: number): RefreshEvent {
  return {
    type: 'refresh.failed',
    cause: 'due',
    error: new PgpassdError(
      refreshErrorCodes[count % refreshErrorCodes.length] ?? 'internal',
      'Entra is down',
      'Wait.',
    ),
    failures: 1,
    token: undefined,
    expiredForMs: undefined,
    retryInMs: 1_000,
  };
}

function refreshed(tookMs: number): RefreshEvent[] {
  const token: TokenInPlace = {
    expiresAtMs: systemClock.now().wallMs + 3_600_000,
    remainingMs: 3_600_000,
    lifeMs: 3_600_000,
  };
  return [
    { type: 'exchange.ended', succeeded: true, tookMs },
    { type: 'passfile.written' },
    { type: 'token.refreshed', token, refreshInMs: 1_800_000, tookMs },
    { type: 'passfile.repaired', damage: 'missing', repairs: 1 },
  ];
}

/** What pgpassd does without. */
function defaultMetrics(): Page['render'] {
  const register = new Registry();
  collectDefaultMetrics({ register });
  return () => register.metrics();
}
