import { describe, test } from 'vitest';
import { type Course, HOUR, MINUTE, onlyWhile, scrapedPod, targetLabels } from './pod.ts';
import { expectAlerts, withoutPromtool } from './promtool.ts';

describe.skipIf(withoutPromtool)('metrics that vanish (with promtool)', () => {
  const runs = (metric: string, pod: string = targetLabels.pod) =>
    `${metric}{namespace="shop", pod="${pod}", container="pgpassd", job="kube-state-metrics"}`;
  const running = 'kube_pod_container_status_running';
  const initRunning = 'kube_pod_init_container_status_running';

  test('page after 10 minutes of failing scrapes, for that pod alone', () => {
    const pods = {
      ...onlyWhile((at) => at < HOUR, scrapedPod({}, 'app-1')),
      ...scrapedPod({}, 'app-2'),
    };
    expectAlerts(pods, [
      [HOUR + 9.5 * MINUTE, []],
      [HOUR + 10 * MINUTE, ['PgpassdAbsent app-1']],
    ]);
  });

  test('do not page while a pod starts, or its container starts anew', () => {
    const pod = onlyWhile((at) => at >= 9.5 * MINUTE && at % HOUR >= MINUTE, scrapedPod());
    expectAlerts(pod, [
      [9.5 * MINUTE, []],
      [HOUR + 30, []],
      [HOUR + 20 * MINUTE, []],
    ]);
  });

  test('do not page with a pod that is gone', () => {
    const pod = Object.fromEntries(
      Object.entries(scrapedPod()).map(([name, course]): [string, Course] => [
        name,
        (at) => (at < HOUR ? course(at) : undefined),
      ]),
    );
    expectAlerts(pod, [[HOUR + 30 * MINUTE, []]]);
  });

  test.each([running, initRunning])(
    'page by %s where nothing scrapes a pod that runs',
    (metric) => {
      expectAlerts({ [runs(metric)]: () => 1 }, [
        [9.5 * MINUTE, []],
        [10 * MINUTE, ['PgpassdAbsent']],
      ]);
    },
  );

  test('do not page for a container that does not run, or is another', () => {
    const other = `${running}{namespace="shop", pod="app-0", container="app"}`;
    expectAlerts({ [runs(running)]: () => 0, [runs(initRunning)]: () => 0, [other]: () => 1 }, [
      [HOUR, []],
    ]);
  });

  test('do not page for a pod that is scraped, whoever else tells that it runs', () => {
    expectAlerts({ ...scrapedPod(), [runs(running)]: () => 1, [runs(initRunning)]: () => 1 }, [
      [HOUR, []],
    ]);
  });
});
