import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { findProgram } from '../support/postgres/clients.ts';
import { prometheusRule, rules } from './manifests.ts';
import { type Course, type Series, targetLabels } from './pod.ts';
import { readQuery } from './promql.ts';

export const withoutPromtool = findProgram('promtool') === undefined;

/** Prometheus' own interval between two scrapes, and two evaluations of the rules. */
export const STEP_SECONDS = 30;

/** Each alert that fires, such as `PgpassdAbsent`, with its pod where that is not the usual one. */
type Firing = readonly string[];

/** Expects these alerts, and no others, to fire at these seconds, which are multiples of the step. */
export function expectAlerts(
  series: Series,
  timeline: readonly (readonly [atSeconds: number, firing: Firing])[],
  stepSeconds = STEP_SECONDS,
): void {
  const untilSeconds = Math.max(...timeline.map(([at]) => at));
  runTests({
    series,
    untilSeconds,
    stepSeconds,
    promql_expr_test: timeline.map(([at, firing]) => ({
      expr: 'count by (alertname, pod) (ALERTS{alertstate="firing"})',
      eval_time: `${at}s`,
      exp_samples: firing.map((each) => {
        const [alertname, pod = targetLabels.pod] = each.split(' ');
        return { labels: `{alertname="${alertname}", pod="${pod}"}`, value: 1 };
      }),
    })),
  });
}

/** Expects each of these to have a result at that second. */
export function expectResults(series: Series, atSeconds: number, queries: readonly string[]): void {
  runTests({
    series,
    queries,
    untilSeconds: atSeconds,
    promql_expr_test: queries.map((query) => ({
      expr: `count(${query}) > bool 0`,
      eval_time: `${atSeconds}s`,
      exp_samples: [{ labels: '{}', value: 1 }],
    })),
  });
}

export interface Told {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Expects the alert to tell exactly this at that second. */
export function expectTold(series: Series, atSeconds: number, alert: string, told: Told): void {
  runTests({
    series,
    untilSeconds: atSeconds,
    alert_rule_test: [
      {
        alertname: alert,
        eval_time: `${atSeconds}s`,
        exp_alerts: [{ exp_labels: told.labels, exp_annotations: told.annotations }],
      },
    ],
  });
}

/** What `promtool check rules` says of ours. */
export function checkRules(): { readonly status: number | null; readonly output: string } {
  return promtool('check', 'rules', writeRules());
}

interface UnitTests {
  readonly series: Series;
  /** Queries to evaluate in addition to the rules. */
  readonly queries?: readonly string[];
  readonly untilSeconds: number;
  readonly stepSeconds?: number;
  readonly promql_expr_test?: readonly object[];
  readonly alert_rule_test?: readonly object[];
}

/** https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/ */
function runTests(given: UnitTests): void {
  const { series, queries = [], untilSeconds, stepSeconds = STEP_SECONDS, ...tests } = given;
  const path = join(temporaryDirectory(), 'tests.json');
  const interval = `${stepSeconds}s`;
  // With all unused series of a day, promtool takes ten times as long.
  const read = new Set([...rules.map(({ expr }) => expr), ...queries].flatMap(metricsIn));
  const content = {
    rule_files: [writeRules()],
    evaluation_interval: interval,
    tests: [
      {
        interval,
        input_series: Object.entries(series)
          .filter(([name]) => read.has(metricOf(name)))
          .map(([name, course]) => ({
            series: name,
            values: valuesOf(course, untilSeconds, stepSeconds),
          })),
        ...tests,
      },
    ],
  };
  writeFileSync(path, JSON.stringify(content));
  const { status, output } = promtool('test', 'rules', path);
  expect({ status, output }).toEqual({ status: 0, output: expect.stringContaining('SUCCESS') });
}

function metricsIn(query: string): string[] {
  return readQuery(query).selectors.map(({ metric }) => metric);
}

function metricOf(series: string): string {
  return series.replace(/\{.*/, '');
}

/** Prometheus notes at the next scrape that a series is gone. */
function valuesOf(course: Course, untilSeconds: number, stepSeconds: number): string {
  const values: (number | string)[] = [];
  for (let at = 0; at <= untilSeconds; at += stepSeconds) {
    const before = at === 0 ? undefined : course(at - stepSeconds);
    values.push(course(at) ?? (before === undefined ? '_' : 'stale'));
  }
  return values.join(' ');
}

/** The groups alone: the object around them is the operator's, not Prometheus'. */
function writeRules(): string {
  const path = join(temporaryDirectory(), 'rules.json');
  writeFileSync(path, JSON.stringify({ groups: prometheusRule.spec.groups }));
  return path;
}

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'promtool-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

function promtool(...args: string[]) {
  // A day at 30 s is much garbage, and little of it at a time.
  const env = { ...process.env, GOGC: '400' };
  const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8', env });
  return { status, output: `${stdout}${stderr}` };
}
