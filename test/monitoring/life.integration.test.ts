import { describe, expect, test } from 'vitest';
import { unreachable } from '../simulation/world.ts';
import { DAY, HOUR, MINUTE } from './pod.ts';
import { expectAlerts, STEP_SECONDS, withoutPromtool } from './promtool.ts';
import { Recording } from './recording.ts';

const lives = [
  { life: '10 minutes', lifeSeconds: 10 * MINUTE },
  { life: 'an hour', lifeSeconds: HOUR },
  { life: 'a day', lifeSeconds: DAY },
];

/** When a metric first had such a value. */
function firstSecond(recording: Recording, metric: string, wanted: (value: number) => boolean) {
  const [, course] =
    Object.entries(recording.series).find(([name]) => name.startsWith(`${metric}{`)) ?? [];
  for (let at = 0; at <= recording.atSeconds; at += 30) {
    if (wanted(course?.(at) ?? 0)) return at;
  }
  throw new Error(`${metric} never came to that`);
}

describe.skipIf(withoutPromtool)('over the simulated life of a pgpassd (with promtool)', () => {
  test.each(
    lives.flatMap((life) => [0.5, 0.9].map((refreshFraction) => ({ ...life, refreshFraction }))),
  )(
    'tokens of $life, refreshed at $refreshFraction of it, give no alert',
    async ({ lifeSeconds, refreshFraction }) => {
      const recording = new Recording({ lifetimeSeconds: () => lifeSeconds, refreshFraction });
      await recording.runUntil(1.2 * lifeSeconds);
      await recording.world.stop();
      const everyTenth = Array.from({ length: 13 }, (_, tenth) => (tenth * lifeSeconds) / 10);
      // Half as many scrapes of a day show as much: a minute apart, as many set-ups have them.
      const stepSeconds = lifeSeconds === DAY ? MINUTE : STEP_SECONDS;
      expectAlerts(
        recording.series,
        everyTenth.map((at) => [at, []]),
        stepSeconds,
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

      const failingAt = firstSecond(
        recording,
        'pgpassd_refresh_consecutive_failures',
        (failures) => failures > 0,
      );
      const pagedAt = Math.max(failingAt + 3 * MINUTE, lifeSeconds - 9 * MINUTE);
      const toldBeforeExpiry = failingAt + 15 * MINUTE < pagedAt;
      const told = toldBeforeExpiry ? ['PgpassdRefreshFailing'] : [];
      expect(pagedAt).toBeLessThan(lifeSeconds - MINUTE);
      expectAlerts(recording.series, [
        [failingAt, []],
        [failingAt + MINUTE, []],
        [pagedAt, [...told, 'PgpassdTokenExpiresSoon']],
        [lifeSeconds + MINUTE, [...told, 'PgpassdTokenExpired']],
        [lifeSeconds + 19 * MINUTE, ['PgpassdRefreshFailing', 'PgpassdTokenExpired']],
        [backAt, []],
      ]);
    },
  );
});
