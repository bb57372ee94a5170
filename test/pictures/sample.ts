/**
 * A day of three pods, for the dashboard's picture. Tokens last a day and are refreshed at half of that. Entra was out
 * of reach for web-1 when its refresh was due, nine hours ago; later attempts succeeded long before the token expired.
 */

/** When the picture was taken; the dashboard shows the day before. */
export const NOW_MS = Date.UTC(2026, 0, 15, 12);
export const RANGE_HOURS = 24;

/** Hours since the beginning of the range, and a value. */
export type Point = readonly [atHours: number, value: number];

export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
}

/** What a panel gets from Prometheus, by its type. */
export type Sample =
  | { readonly type: 'stat'; readonly value: number }
  | {
      readonly type: 'timeseries' | 'bargauge' | 'state-timeline';
      readonly series: readonly Series[];
    }
  | {
      readonly type: 'heatmap';
      readonly points: readonly Point[];
      readonly bounds: readonly number[];
    }
  | { readonly type: 'table'; readonly rows: readonly Readonly<Record<string, string | number>>[] };

interface Pod {
  readonly name: string;
  /** When refreshes succeeded, in hours since the beginning; the first is before it. */
  readonly refreshes: readonly number[];
  readonly failures: readonly number[];
  readonly nextRefresh: number;
  /** When kubelet rotated the federated token for the first time in the range. */
  readonly firstRotation: number;
}

const LIFE_HOURS = 24;
const HOUR_SECONDS = 3600;

const pods: readonly Pod[] = [
  {
    name: 'web-0',
    refreshes: [-10.4, 1.7, 13.6],
    failures: [],
    nextRefresh: 25.5,
    firstRotation: 0.2,
  },
  {
    name: 'web-1',
    refreshes: [-8.9, 3.2, 15.7],
    failures: [15, 15.02, 15.06, 15.15, 15.32, 15.5],
    nextRefresh: 27.6,
    firstRotation: 0.45,
  },
  {
    name: 'web-2',
    refreshes: [-1.2, 10.9, 22.8],
    failures: [],
    nextRefresh: 34.9,
    firstRotation: 0.7,
  },
];

const NAMESPACE = 'shop';
const labelled = (points: (pod: Pod) => readonly Point[]): readonly Series[] =>
  pods.map((pod) => ({ name: `${NAMESPACE}/${pod.name}`, points: points(pod) }));

const perHour = (times: readonly number[]): readonly Point[] =>
  Array.from({ length: RANGE_HOURS }, (_, hour) => [
    hour,
    times.filter((at) => Math.floor(at) === hour).length,
  ]);

/** What is left of a life that starts again at each renewal. */
function countdown(renewals: readonly number[], lifeHours: number): readonly Point[] {
  const left = (from: number, at: number): number => (lifeHours - (at - from)) * HOUR_SECONDS;
  return renewals.flatMap((from, index): readonly Point[] => {
    const start = Math.max(0, from);
    const end = Math.min(RANGE_HOURS, renewals[index + 1] ?? RANGE_HOURS);
    return [
      [start, left(from, start)],
      [end, left(from, end)],
    ];
  });
}

function rotations({ firstRotation }: Pod): readonly number[] {
  // Kubelet replaces a token of an hour after 80 % of it.
  return Array.from({ length: 31 }, (_, index) => firstRotation + (index - 1) * 0.8).filter(
    (at) => at < RANGE_HOURS,
  );
}

const lastRefresh = ({ refreshes }: Pod): number => refreshes.at(-1) ?? 0;
const secondsLeft = (pod: Pod): number =>
  (lastRefresh(pod) + LIFE_HOURS - RANGE_HOURS) * HOUR_SECONDS;

/** Steady, but for a little noise that is the same on every run. */
function noise(level: number, spread: number, seed: number): readonly Point[] {
  return Array.from({ length: 97 }, (_, index) => [
    index / 4,
    level + (spread * (Math.sin(seed + index * 1.7) + Math.sin(seed * 3 + index * 0.6))) / 2,
  ]);
}

const inRange = (times: readonly number[]): readonly number[] => times.filter((at) => at >= 0);
const successes = pods.flatMap(({ refreshes }) => inRange(refreshes));
const failures = pods.flatMap((pod) => pod.failures);
const results: readonly Series[] = [
  { name: 'success', points: perHour(successes) },
  { name: 'error', points: perHour(failures) },
];
const tookSeconds = (index: number): number => [0.21, 0.18, 0.34, 0.23, 0.16, 0.28][index] ?? 0.2;

function state({ failures: [first], refreshes }: Pod): readonly Point[] {
  if (first === undefined) return [[0, 2]];
  return [
    [0, 2],
    [first, 1],
    [refreshes.find((at) => at > first) ?? RANGE_HOURS, 2],
  ];
}

const isoAt = (atHours: number): string =>
  new Date(NOW_MS + (atHours - RANGE_HOURS) * HOUR_SECONDS * 1000)
    .toISOString()
    .slice(0, 19)
    .replace('T', ' ');

/** By the panel's title. */
export const samples: Readonly<Record<string, Sample>> = {
  Pods: { type: 'stat', value: pods.length },
  'No token': { type: 'stat', value: 0 },
  Failing: { type: 'stat', value: 0 },
  'Least time left': { type: 'stat', value: Math.min(...pods.map(secondsLeft)) },
  Refreshes: { type: 'stat', value: successes.length },
  Repairs: { type: 'stat', value: 0 },
  'Time left, by pod': {
    type: 'timeseries',
    series: labelled(({ refreshes }) => countdown(refreshes, LIFE_HOURS)),
  },
  'Share of life left, by pod': {
    type: 'bargauge',
    series: labelled((pod) => [[RANGE_HOURS, secondsLeft(pod) / (LIFE_HOURS * HOUR_SECONDS)]]),
  },
  'State, by pod': { type: 'state-timeline', series: labelled(state) },
  'Refreshes, by result': { type: 'timeseries', series: results },
  'Failures, by reason': {
    type: 'timeseries',
    series: [{ name: 'entra.unreachable', points: perHour(failures) }],
  },
  'Failures, by pod and reason': {
    type: 'bargauge',
    series: [
      { name: `${NAMESPACE}/web-1 entra.unreachable`, points: [[RANGE_HOURS, failures.length]] },
    ],
  },
  'How long an exchange takes': {
    type: 'heatmap',
    bounds: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    points: [
      ...successes.map((at, index): Point => [at, tookSeconds(index)]),
      ...failures.map((at): Point => [at, 10]),
    ],
  },
  'Mean duration, by pod': {
    type: 'timeseries',
    series: labelled(({ refreshes }) =>
      inRange(refreshes).map((at, index): Point => [at, tookSeconds(index + (Math.floor(at) % 4))]),
    ),
  },
  '95th percentile, by pod': {
    type: 'bargauge',
    series: labelled(({ failures: { length } }) => [[RANGE_HOURS, length > 0 ? 9.4 : 0.24]]),
  },
  'Passfile writes, by result': {
    type: 'timeseries',
    series: [
      { name: 'success', points: perHour(successes) },
      { name: 'error', points: perHour([]) },
    ],
  },
  'Passfile repairs, by pod': { type: 'timeseries', series: labelled(() => perHour([])) },
  'Federated token: time left': {
    type: 'timeseries',
    series: labelled((pod) => countdown(rotations(pod), 1)),
  },
  'What runs where': {
    type: 'table',
    rows: pods
      .map((pod) => ({
        Namespace: NAMESPACE,
        Pod: pod.name,
        'Token expires': isoAt(lastRefresh(pod) + LIFE_HOURS),
        'Last refresh': isoAt(lastRefresh(pod)),
        'Next attempt': isoAt(pod.nextRefresh),
        'Failures in a row': 0,
        'Rotations seen': inRange(rotations(pod)).length,
        pgpassd: '1.0.0',
        'Node.js': '26.10.0',
      }))
      .toSorted((a, b) => a['Token expires'].localeCompare(b['Token expires'])),
  },
  'CPU, by pod': {
    type: 'timeseries',
    series: pods.map(({ name }, seed) => ({
      name: `${NAMESPACE}/${name}`,
      points: noise(0.0032, 0.0008, seed),
    })),
  },
  'Memory, by pod': {
    type: 'timeseries',
    series: pods.map(({ name }, seed) => ({
      name: `${NAMESPACE}/${name}`,
      points: noise(33e6 + seed * 1.4e6, 0.4e6, seed + 7),
    })),
  },
};
