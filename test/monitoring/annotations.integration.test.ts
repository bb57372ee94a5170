import { describe, test } from 'vitest';
import { rules } from './manifests.ts';
import { HOUR, MINUTE, onlyWhile, type Series, scrapedPod, targetLabels } from './pod.ts';
import { expectTold, withoutPromtool } from './promtool.ts';

interface Occasion {
  readonly series: Series;
  readonly atSeconds: number;
  /** What is written where a text tells the value. */
  readonly value?: string;
  /** Where the alert has fewer labels than the series. */
  readonly labels?: Readonly<Record<string, string>>;
}

const { namespace, pod } = targetLabels;

/** When each alert fires, by name. */
const occasions: Readonly<Record<string, Occasion>> = {
  PgpassdTokenExpiresSoon: {
    series: scrapedPod({
      pgpassd_token_expiry_timestamp_seconds: () => HOUR,
      pgpassd_refresh_consecutive_failures: () => 1,
    }),
    atSeconds: HOUR - 9.5 * MINUTE,
    value: '9m 30s',
  },
  PgpassdTokenExpired: {
    series: scrapedPod({ pgpassd_token_expiry_timestamp_seconds: () => HOUR }),
    atSeconds: HOUR + 90,
    value: '1m 30s',
  },
  PgpassdNoToken: {
    series: scrapedPod({ pgpassd_token_expiry_timestamp_seconds: () => 0 }),
    atSeconds: 5 * MINUTE,
  },
  PgpassdRefreshFailing: {
    series: scrapedPod({ pgpassd_refresh_consecutive_failures: () => 7 }),
    atSeconds: 15 * MINUTE,
    value: '7',
  },
  PgpassdFederatedTokenExpired: {
    series: scrapedPod({ pgpassd_federated_token_expiry_timestamp_seconds: () => HOUR }),
    atSeconds: HOUR + 11 * MINUTE,
    value: '11m 0s',
  },
  PgpassdAbsent: {
    series: onlyWhile(() => false, scrapedPod()),
    atSeconds: 10 * MINUTE,
    labels: { namespace, pod },
  },
  PgpassdPassfileNotWritten: {
    series: scrapedPod({
      'pgpassd_passfile_writes_total{result="error"}': (at) => (at > HOUR ? 1 : 0),
    }),
    atSeconds: HOUR + MINUTE,
  },
  PgpassdPassfileRepaired: {
    series: scrapedPod({ pgpassd_passfile_repairs_total: (at) => (at > HOUR ? 1 : 0) }),
    atSeconds: HOUR + MINUTE,
  },
  PgpassdPassfileContested: {
    series: scrapedPod({ pgpassd_passfile_repairs_total: (at) => at / 10 }),
    atSeconds: HOUR,
    value: '60',
  },
};

describe.skipIf(withoutPromtool)('the texts of alerts (with promtool)', () => {
  test.each(rules)('$alert names the pod, the value and the command', ({ alert, ...rule }) => {
    const occasion = occasions[alert];
    if (occasion === undefined) throw new Error(`${alert} has no occasion`);
    const { series, atSeconds, value = 'no value', labels = targetLabels } = occasion;
    const filledIn = (text: string) =>
      text
        .replaceAll('{{ $labels.namespace }}', namespace)
        .replaceAll('{{ $labels.pod }}', pod)
        .replaceAll(/\{\{ \$value[^}]*\}\}/g, value);
    expectTold(series, atSeconds, alert, {
      labels: { ...labels, ...rule.labels },
      annotations: Object.fromEntries(
        Object.entries(rule.annotations).map(([name, text]) => [name, filledIn(text)]),
      ),
    });
  });
});
