import { describe, expect, test } from 'vitest';
import { unreachable } from '../simulation/world.ts';
import { DAY, HOUR, MINUTE, type Series } from './pod.ts';
import { expectAlerts, STEP_SECONDS, withoutPromtool } from './promtool.ts';
import { Recording } from './recording.ts';

const lives = [
  { life: '10 minutes', lifeSeconds: 10 * MINUTE },
  { life: 'an hour', lifeSeconds: HOUR },
  { life: 'a day', lifeSeconds: DAY },
];

/** Half as many scrapes of a day show as much: a minute apart, as many set-ups have them. */
const stepFor = (lifeSeconds: number) => (lifeSeconds === DAY ? MINUTE : STEP_SECONDS);

/** When a scrape first showed failures. */
function firstFailure(series: Series, untilSeconds: number, stepSeconds: number): number {
  const metric = 'pgpassd_refresh_consecutive_failures';
  const [, failures] = Object.entries(series).find(([name]) => name.startsWith(`${metric}{`)) ?? [];
  for (let at = 0; at <= untilSeconds; at += stepSeconds) {
    if ((failures?.(at) ?? 0) > 0) return at;
  }
  throw new Error('no refresh ever failed');
}

describe.skipIf(withoutPromtool)('over the simulated life of a pgpassd (with promtool)', () => {
  test.each(lives)(
    'tokens of $life, refreshed at 0.5 or 0.9 of it, give no alert',
    async ({ lifeSeconds }) => {
      const pods: Series[] = [];
      for (const refreshFraction of [0.5, 0.9]) {
        const recording = new Recording({ lifetimeSeconds: () => lifeSeconds, refreshFraction });
        await recording.runUntil(1.2 * lifeSeconds);
        await recording.world.stop();
        pods.push(recording.seriesOf(`app-${refreshFraction}`));
      }
      const everyTenth = Array.from({ length: 13 }, (_, tenth) => (tenth * lifeSeconds) / 10);
      // Two pods take promtool hardly longer than one.
      expectAlerts(
        Object.assign({}, ...pods),
        everyTenth.map((at) => [at, []]),
        stepFor(lifeSeconds),
      );
    },
  );

  test.each(lives)(
    'while Entra is down, tokens of $life page before they expire, and all is quiet after it is back',
    async ({ lifeSeconds }) => {
      const recording = new Recording({ lifetimeSeconds: () => lifeSeconds });
      await recording.runUntil(MINUTE);
      recording.world.outage = unreachable();
      await recording.runUntil(lifeSeconds + 20 * MINUTE);
      recording.world.outage = undefined;
      // Retries are two minutes apart at most.
      const backAt = recording.atSeconds + 4 * MINUTE;
      await recording.runUntil(backAt);
      await recording.world.stop();

      const series = recording.seriesOf();
      const stepSeconds = stepFor(lifeSeconds);
      const failingAt = firstFailure(series, recording.atSeconds, stepSeconds);
      const pagedAt = Math.max(failingAt + 3 * MINUTE, lifeSeconds - 9 * MINUTE);
      const toldBeforeExpiry = failingAt + 15 * MINUTE < pagedAt;
      const told = toldBeforeExpiry ? ['PgpassdRefreshFailing'] : [];
      expect(pagedAt).toBeLessThan(lifeSeconds - MINUTE);
      const timeline: Parameters<typeof expectAlerts>[1] = [
        [failingAt, []],
        [failingAt + MINUTE, []],
        [pagedAt, [...told, 'PgpassdTokenExpiresSoon']],
        [lifeSeconds + MINUTE, [...told, 'PgpassdTokenExpired']],
        [lifeSeconds + 19 * MINUTE, ['PgpassdRefreshFailing', 'PgpassdTokenExpired']],
        [backAt, []],
      ];
      expectAlerts(series, timeline, stepSeconds);
    },
  );
});
