import { firstScrape, readSamples } from './exposition.ts';
import { podMonitor } from './manifests.ts';

/** The value of a series over time, in seconds from the start; undefined while it is not there. */
export type Course = (atSeconds: number) => number | undefined;

/** From `from` on. */
export const since =
  (from: number, value: number, before = 0): Course =>
  (at) =>
    at >= from ? value : before;

export const MINUTE = 60;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** By name and labels. */
export type Series = Readonly<Record<string, Course>>;

const [endpoint] = podMonitor.spec.podMetricsEndpoints;

/** What Prometheus adds to everything that it scrapes from a pod. */
export const targetLabels = {
  namespace: 'shop',
  pod: 'app-0',
  container: 'pgpassd',
  endpoint: endpoint?.port ?? '',
  instance: '10.0.0.7:8432',
  job: 'monitoring/pgpassd',
} as const;

/** `series` as Prometheus stores it when it comes from this pod. */
export function scrapedFrom(pod: string, series: string): string {
  const added = Object.entries({ ...targetLabels, pod }).map(
    ([name, value]) => `${name}="${value}"`,
  );
  const [name = '', own = ''] = series.split(/[{}]/);
  return `${name}{${[...added, ...(own === '' ? [] : [own])].join(',')}}`;
}

/**
 * Everything Prometheus stores of a pod, with these courses in place of some. Whatever they do not
 * name is as at the first scrape, but there is a token that lasts, so that no alert has a reason.
 *
 * @throws Error for a series that no pgpassd has
 */
export function scrapedPod(courses: Series = {}, pod: string = targetLabels.pod): Series {
  const scraped: Record<string, Course> = { up: () => 1 };
  for (const [series, value] of readSamples(firstScrape)) scraped[series] = () => value;
  const lasting: Series = { pgpassd_token_expiry_timestamp_seconds: () => 1_000_000, ...courses };
  for (const [series, course] of Object.entries(lasting)) {
    if (!(series in scraped)) throw new Error(`no pgpassd has ${series}`);
    scraped[series] = course;
  }
  return Object.fromEntries(
    Object.entries(scraped).map(([series, course]) => [scrapedFrom(pod, series), course]),
  );
}

/** The same while `isThere`; a pod whose scrape fails has nothing but `up`, which is 0. */
export function onlyWhile(isThere: (atSeconds: number) => boolean, series: Series): Series {
  return Object.fromEntries(
    Object.entries(series).map(([name, course]): [string, Course] => [
      name,
      (at) => (isThere(at) ? course(at) : name.startsWith('up{') ? 0 : undefined),
    ]),
  );
}
