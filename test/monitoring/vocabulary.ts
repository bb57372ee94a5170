import { firstScrape, type Metric, readMetrics } from './exposition.ts';
import { targetLabels } from './pod.ts';
import { type Matcher, readQuery, type Selector } from './promql.ts';

/** Other metrics than pgpassd's own that are queried, their exporters, and their labels. */
const others: Readonly<Record<string, readonly string[]>> = {
  // Prometheus: each target, and each alert.
  up: [],
  ALERTS: ['alertname', 'alertstate', 'severity'],
  // kube-state-metrics, where it is scraped with honorLabels.
  kube_pod_container_status_running: [],
  kube_pod_init_container_status_running: [],
};

const ours = readMetrics(firstScrape);

/** What an expression asks for that pgpassd does not have; empty where all is well. */
export function objections(expression: string): string[] {
  const { selectors, groupingLabels } = readQuery(expression);
  const known = labelsOf(expression);
  return [
    ...selectors.flatMap(objectionsTo),
    ...groupingLabels.filter((label) => !known.has(label)).map((label) => `no label ${label}`),
  ];
}

/** Every label that one of these metrics, or its target, has. */
export function labelsOf(expression: string): ReadonlySet<string> {
  const labels = readQuery(expression).selectors.flatMap(({ metric }) => [
    ...(ours.get(metric)?.labels.keys() ?? []),
    ...(others[metric] ?? []),
  ]);
  return new Set([...Object.keys(targetLabels), ...labels]);
}

function objectionsTo({ metric, matchers, rangeFunction }: Selector): string[] {
  const found = ours.get(metric) ?? (metric in others ? foreign(metric) : undefined);
  if (found === undefined) return [`no metric ${metric}`];
  const counts = rangeFunction === 'increase' || rangeFunction === 'rate';
  const countable = found.type === 'counter' || found.type === 'histogram';
  return [
    ...(counts && !countable ? [`${rangeFunction}() of ${metric}, a ${found.type}`] : []),
    ...matchers.flatMap((matcher) => objectionsToMatcher(metric, found, matcher)),
  ];
}

function objectionsToMatcher(metric: string, { labels }: Metric, matcher: Matcher): string[] {
  const { label, value } = matcher;
  const target = Object.entries(targetLabels).find(([name]) => name === label)?.[1];
  const values = labels.get(label) ?? (target === undefined ? undefined : new Set([target]));
  if (values === undefined) return [`no label ${label} of ${metric}`];
  // Anybody's namespaces and pods, and alerts of any state.
  if (value.startsWith('$') || ['namespace', 'pod'].includes(label) || values.size === 0) return [];
  return matches(matcher, values) ? [] : [`no value ${value} of ${label} of ${metric}`];
}

function matches({ operator, value }: Matcher, values: ReadonlySet<string>): boolean {
  if (!operator.endsWith('~')) return values.has(value);
  const pattern = new RegExp(`^(?:${value})$`);
  return [...values].some((each) => pattern.test(each));
}

function foreign(metric: string): Metric {
  const labels = (others[metric] ?? []).map((label) => [label, new Set<string>()] as const);
  return { type: 'gauge', labels: new Map(labels) };
}
