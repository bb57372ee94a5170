import { describe, test } from 'vitest';
import { type Course, HOUR, MINUTE, onlyWhile, type Series, scrapedPod, since } from './pod.ts';
import { expectAlerts, withoutPromtool } from './promtool.ts';

describe.skipIf(withoutPromtool)('alerts about the passfile (with promtool)', () => {
  test('a passfile that could not be written pages at the next scrape, for 15 minutes', () => {
    const pod = scrapedPod({ 'pgpassd_passfile_writes_total{result="error"}': since(HOUR, 1) });
    expectAlerts(pod, [
      [HOUR - 30, []],
      [HOUR, ['PgpassdPassfileNotWritten']],
      [HOUR + 14 * MINUTE, ['PgpassdPassfileNotWritten']],
      [HOUR + 16 * MINUTE, []],
    ]);
  });

  describe('a passfile that was repaired', () => {
    const repairs = (course: Course): Series => ({ pgpassd_passfile_repairs_total: course });

    test('once is told for 15 minutes', () => {
      expectAlerts(scrapedPod(repairs(since(HOUR, 1))), [
        [HOUR - 30, []],
        [HOUR, ['PgpassdPassfileRepaired']],
        [HOUR + 14 * MINUTE, ['PgpassdPassfileRepaired']],
        [HOUR + 16 * MINUTE, []],
      ]);
    });

    test('before the first scrape is told as well', () => {
      const startedAt = HOUR;
      const pod = onlyWhile(
        (at) => at > startedAt,
        scrapedPod({ ...repairs(() => 1), process_start_time_seconds: () => startedAt }),
      );
      expectAlerts(pod, [
        [startedAt + 30, ['PgpassdPassfileRepaired']],
        [startedAt + 14.5 * MINUTE, ['PgpassdPassfileRepaired']],
        [startedAt + 15 * MINUTE, []],
      ]);
    });

    test('is not told again when the container starts anew and counts from 0', () => {
      const restartedAt = 2 * HOUR;
      const pod = scrapedPod({
        ...repairs((at) => (at < HOUR || at >= restartedAt ? 0 : 4)),
        process_start_time_seconds: since(restartedAt, restartedAt),
      });
      expectAlerts(pod, [
        [restartedAt - 30, []],
        [restartedAt, []],
        [restartedAt + 5 * MINUTE, []],
      ]);
    });

    test('after the container started anew is told, though the count is no higher than before', () => {
      const restartedAt = 2 * HOUR;
      const pod = scrapedPod({
        ...repairs(since(HOUR, 1)),
        process_start_time_seconds: since(restartedAt, restartedAt),
      });
      expectAlerts(pod, [
        [restartedAt - 30, []],
        [restartedAt, ['PgpassdPassfileRepaired']],
      ]);
    });

    const every = (periodSeconds: number) =>
      scrapedPod(repairs((at) => Math.max(0, Math.floor((at - HOUR) / periodSeconds))));

    test('every 10 seconds pages after the tenth', () => {
      expectAlerts(every(10), [
        [HOUR + 1.5 * MINUTE, ['PgpassdPassfileRepaired']],
        [HOUR + 2 * MINUTE, ['PgpassdPassfileContested', 'PgpassdPassfileRepaired']],
      ]);
    });

    test('every two minutes does not page', () => {
      expectAlerts(every(2 * MINUTE), [[HOUR + 30 * MINUTE, ['PgpassdPassfileRepaired']]]);
    });
  });
});
