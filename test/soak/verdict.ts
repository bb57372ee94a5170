import type { Sample } from './sample.ts';

export interface Soak {
  /** At a steady pace, oldest first, of the whole run; ten or more. */
  readonly samples: readonly Sample[];
  readonly exchanges: number;
  readonly failures: number;
}

/** As seen at the moments of the samples. */
export interface Range {
  readonly least: number;
  readonly most: number;
}

export interface Findings {
  /** As everything else, without the first tenth of the run. */
  readonly rssKiB: Range & { readonly first: number; readonly last: number };
  /** The slope over the last half of the run, by least squares. */
  readonly rssKiBPerMinute: number;
  readonly exchangesPerMinute: number;
  readonly files: Range;
  readonly timers: Range;
  readonly resources: Range;
  readonly threads: Range;
  /** One sentence each; none is a pass. */
  readonly objections: readonly string[];
}

/**
 * How far a count may swing between two samples. Files: the socket of an exchange, its predecessor
 * on its way out, the federated token, the temporary passfile, its directory, and one that chokidar
 * looks through. Timers: the deadline of an exchange, undici's for connecting, and those with which
 * chokidar waits for a rotation to settle. Resources: requests to the system for any of these.
 */
const SWING = { files: 6, timers: 6, resources: 8 } as const;

/**
 * By how much RSS may grow. An exchange that leaves its token or its answer behind leaves more than
 * 1 KiB; a heap that merely breathes stays below a quarter of that over half an hour.
 */
const KIB_PER_EXCHANGE = 0.25;

export function judge({ samples, exchanges, failures }: Soak): Findings {
  const warm = samples.slice(Math.ceil(samples.length / 10));
  const late = samples.slice(Math.ceil(samples.length / 2));
  const early = warm.slice(0, warm.length - late.length);
  const exchangesPerMinute = exchanges / (samples.at(-1)?.minute || Number.NaN);
  const rss = warm.map(({ rssKiB }) => rssKiB);
  const rssKiBPerMinute = slope(late.map(({ minute, rssKiB }) => [minute, rssKiB]));
  const objections: string[] = [];

  for (const what of ['files', 'timers', 'resources'] as const) {
    const { least, most } = rangeOf(warm, what);
    if (most - least > SWING[what]) {
      objections.push(`${what} swing between ${least} and ${most}, more than ${SWING[what]}`);
    }
    // What comes and goes has gone at some time in the last half, too: a leak of one shows.
    const before = median(early.map((sample) => sample[what]));
    const after = rangeOf(late, what).least;
    if (after > before) objections.push(`${what} went from ${before} to ${after} and more`);
  }
  const boundKiBPerMinute = KIB_PER_EXCHANGE * exchangesPerMinute;
  if (!(rssKiBPerMinute <= boundKiBPerMinute)) {
    objections.push(
      `RSS grows by ${rssKiBPerMinute.toFixed(1)} KiB/min, more than ${boundKiBPerMinute.toFixed(1)}`,
    );
  }
  if (failures > 0) objections.push(`${failures} refreshes failed`);

  return {
    rssKiB: { ...rangeOf(warm, 'rssKiB'), first: rss[0] ?? 0, last: rss.at(-1) ?? 0 },
    rssKiBPerMinute,
    exchangesPerMinute,
    files: rangeOf(warm, 'files'),
    timers: rangeOf(warm, 'timers'),
    resources: rangeOf(warm, 'resources'),
    threads: rangeOf(warm, 'threads'),
    objections,
  };
}

function rangeOf(samples: readonly Sample[], what: keyof Sample): Range {
  const values = samples.map((sample) => sample[what]);
  return { least: Math.min(...values), most: Math.max(...values) };
}

const median = (values: readonly number[]): number =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;

/** Of the line through the points that fits best. */
function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (pick: 0 | 1) => points.reduce((sum, point) => sum + point[pick], 0) / points.length;
  const [meanX, meanY] = [mean(0), mean(1)];
  const covariance = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  const variance = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  return covariance / variance;
}
