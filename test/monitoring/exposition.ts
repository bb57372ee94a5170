import { createMetrics } from '../../src/observe/metrics.ts';
import { initialState } from '../../src/refresh/events.ts';
import { readQuery } from './promql.ts';

/** What a scrape says: each series by its name with labels, as it is written there. */
export function readSamples(exposition: string): ReadonlyMap<string, number> {
  return new Map(
    lines(exposition).map((line): [string, number] => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

export interface Metric {
  readonly type: string;
  /** The values each label has; those that are known beforehand are all there from the start. */
  readonly labels: ReadonlyMap<string, ReadonlySet<string>>;
}

/** What can be asked for, by name; a histogram is three of them. */
export function readMetrics(exposition: string): ReadonlyMap<string, Metric> {
  const types = new Map(
    [...exposition.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => [
      name,
      type,
    ]),
  );
  const metrics = new Map<string, { type: string; labels: Map<string, Set<string>> }>();
  for (const series of readSamples(exposition).keys()) {
    // A series is written as a query for it would be.
    const [{ metric, matchers } = { metric: '', matchers: [] }] = readQuery(series).selectors;
    const type = types.get(metric) ?? types.get(metric.replace(/_(bucket|sum|count)$/, ''));
    const entry = metrics.get(metric) ?? { type: type ?? 'untyped', labels: new Map() };
    metrics.set(metric, entry);
    for (const { label, value } of matchers) {
      entry.labels.set(label, (entry.labels.get(label) ?? new Set()).add(value));
    }
  }
  return metrics;
}

/** The first scrape of a pgpassd that has just started. */
export const firstScrape: string = await createMetrics({
  state: () => initialState,
  version: '1.2.3',
  node: '24.0.0',
  process: { startedAtMs: 0, cpuSeconds: () => 1, residentBytes: () => 1 },
}).render();

function lines(exposition: string): string[] {
  return exposition.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}
