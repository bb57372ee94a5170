import { describe, expect, test } from 'vitest';
import {
  type Course,
  DAY,
  HOUR,
  MINUTE,
  onlyWhile,
  type Series,
  scrapedPod,
  since,
} from './pod.ts';
import { checkRules, expectAlerts, STEP_SECONDS, withoutPromtool } from './promtool.ts';

const failingSince = (from: number): Series => ({
  pgpassd_refresh_consecutive_failures: since(from, 3),
});

const expiry = (at: number): Series => ({ pgpassd_token_expiry_timestamp_seconds: () => at });

describe.skipIf(withoutPromtool)('alerts about tokens (with promtool)', () => {
  test('promtool has nothing to complain of', () => {
    expect(checkRules()).toEqual({ status: 0, output: expect.stringContaining('SUCCESS') });
  });

  test('a pod where all is well is no reason for one', () => {
    expectAlerts(scrapedPod(), [
      [0, []],
      [HOUR, []],
    ]);
  });

  describe('a token that expires soon', () => {
    // A day is much for promtool: so it sees half as many scrapes of it.
    test.each([
      ['of an hour', HOUR, STEP_SECONDS],
      ['of a day', DAY, MINUTE],
    ])(
      '%s, whose refresh fails from its half-life on, pages with 10 minutes left',
      (_, life, step) => {
        const pod = scrapedPod({ ...expiry(life), ...failingSince(life / 2) });
        const timeline: Parameters<typeof expectAlerts>[1] = [
          [life - 10 * MINUTE - step, ['PgpassdRefreshFailing']],
          [life - 10 * MINUTE, ['PgpassdRefreshFailing', 'PgpassdTokenExpiresSoon']],
          [life - step, ['PgpassdRefreshFailing', 'PgpassdTokenExpiresSoon']],
        ];
        expectAlerts(pod, timeline, step);
      },
    );

    test('of 10 minutes pages after two minutes of failures, with time left', () => {
      const pod = scrapedPod({ ...expiry(10 * MINUTE), ...failingSince(5 * MINUTE) });
      expectAlerts(pod, [
        [6 * MINUTE, []],
        [7 * MINUTE, ['PgpassdTokenExpiresSoon']],
        [9.5 * MINUTE, ['PgpassdTokenExpiresSoon']],
      ]);
    });

    test('does not page for a failure that is over within a minute', () => {
      const failures: Course = (at) => (at >= 5 * MINUTE && at < 6 * MINUTE ? 2 : 0);
      const pod = scrapedPod({
        ...expiry(10 * MINUTE),
        pgpassd_refresh_consecutive_failures: failures,
      });
      expectAlerts(pod, [
        [6 * MINUTE, []],
        [8 * MINUTE, []],
      ]);
    });

    test('does not page while its refresh is merely to come, however late it is meant to be', () => {
      const pod = scrapedPod({
        ...expiry(HOUR),
        pgpassd_refresh_next_timestamp_seconds: () => 0.95 * HOUR,
      });
      expectAlerts(pod, [
        [0.9 * HOUR, []],
        [0.95 * HOUR + 2 * MINUTE, []],
      ]);
    });

    test('pages when its refresh was due two minutes ago and nothing happened', () => {
      const pod = scrapedPod({
        ...expiry(HOUR),
        pgpassd_refresh_next_timestamp_seconds: () => 52 * MINUTE,
      });
      expectAlerts(pod, [
        [54 * MINUTE, []],
        [54.5 * MINUTE, ['PgpassdTokenExpiresSoon']],
      ]);
    });

    test('is forgotten with the first success', () => {
      const pod = scrapedPod({
        pgpassd_token_expiry_timestamp_seconds: since(55 * MINUTE, 2 * HOUR, HOUR),
        pgpassd_refresh_consecutive_failures: (at) => (at < 55 * MINUTE ? 3 : 0),
      });
      expectAlerts(pod, [
        [54.5 * MINUTE, ['PgpassdRefreshFailing', 'PgpassdTokenExpiresSoon']],
        [55 * MINUTE, []],
      ]);
    });
  });

  test('a token that expires pages in that second, and the warning of it ends', () => {
    const pod = scrapedPod({ ...expiry(HOUR), ...failingSince(55 * MINUTE) });
    expectAlerts(pod, [
      [HOUR - 30, ['PgpassdTokenExpiresSoon']],
      [HOUR, ['PgpassdTokenExpired']],
      [HOUR + 9 * MINUTE, ['PgpassdTokenExpired']],
      [HOUR + 10 * MINUTE, ['PgpassdRefreshFailing', 'PgpassdTokenExpired']],
    ]);
  });

  test('a pod without its first token pages after 5 minutes, not when it starts', () => {
    const startedAt = 2 * MINUTE;
    const pod = onlyWhile((at) => at >= startedAt, scrapedPod(expiry(0)));
    expectAlerts(pod, [
      [startedAt, []],
      [startedAt + 4.5 * MINUTE, []],
      [startedAt + 5 * MINUTE, ['PgpassdNoToken']],
    ]);
  });

  test('a pod that gets its first token after 4 minutes does not page', () => {
    const pod = scrapedPod({ pgpassd_token_expiry_timestamp_seconds: since(4 * MINUTE, HOUR) });
    expectAlerts(pod, [[6 * MINUTE, []]]);
  });

  test('a refresh that fails for 15 minutes is told, and no sooner', () => {
    const pod = scrapedPod(failingSince(HOUR));
    expectAlerts(pod, [
      [HOUR + 14.5 * MINUTE, []],
      [HOUR + 15 * MINUTE, ['PgpassdRefreshFailing']],
    ]);
  });

  test('failures with a success between them are not 15 minutes of failing', () => {
    const pod = scrapedPod({
      pgpassd_refresh_consecutive_failures: (at) => (at === 14 * MINUTE ? 0 : 1),
    });
    expectAlerts(pod, [
      [15 * MINUTE, []],
      [29 * MINUTE, []],
      [29.5 * MINUTE, ['PgpassdRefreshFailing']],
    ]);
  });

  test('a federated token that has been expired for 10 minutes is told while the token lasts', () => {
    const pod = scrapedPod({ pgpassd_federated_token_expiry_timestamp_seconds: () => HOUR });
    expectAlerts(pod, [
      [HOUR + 10 * MINUTE, []],
      [HOUR + 10.5 * MINUTE, ['PgpassdFederatedTokenExpired']],
    ]);
  });

  test('a federated token that is rotated in time is not told', () => {
    const pod = scrapedPod({
      pgpassd_federated_token_expiry_timestamp_seconds: (at) => HOUR * Math.floor(at / HOUR + 1.2),
    });
    expectAlerts(pod, [
      [HOUR + 11 * MINUTE, []],
      [3 * HOUR, []],
    ]);
  });
});
