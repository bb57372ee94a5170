import { expect, test } from 'vitest';
import { seededRandom } from '../support/random.ts';
import type { Sample } from './sample.ts';
import { judge } from './verdict.ts';

const SAMPLES = 360;
const EXCHANGES_PER_MINUTE = 120;

/** An hour of a process that is well, but for what `ail` makes of each sample. */
function anHour(ail: (sample: Sample) => Partial<Sample> = () => ({})) {
  const random = seededRandom(7);
  const upTo = (most: number) => Math.floor(random() * (most + 1));
  const samples = Array.from({ length: SAMPLES }, (_, index): Sample => {
    const minute = (index + 1) / 6;
    const warmingUpKiB = 10_000 * Math.exp(-minute);
    const sample = {
      minute,
      rssKiB: Math.round(110_000 - warmingUpKiB + upTo(6_000)),
      heapKiB: 15_000 + upTo(10_000),
      threads: 11,
      files: 23 + upTo(2),
      timers: 2 + upTo(3),
      resources: 3 + upTo(2),
    };
    return { ...sample, ...ail(sample) };
  });
  return { samples, exchanges: 60 * EXCHANGES_PER_MINUTE, failures: 0 };
}

test('a heap that breathes, and files and timers that come and go, are as it should be', () => {
  expect(judge(anHour())).toMatchObject({
    files: { least: 23, most: 25 },
    timers: { least: 2, most: 5 },
    exchangesPerMinute: EXCHANGES_PER_MINUTE,
    objections: [],
  });
});

test.each<[string, (sample: Sample) => Partial<Sample>, RegExp]>([
  [
    'a file kept open at every rotation',
    ({ minute, files }) => ({ files: files + Math.floor(minute) }),
    /^files swing/,
  ],
  [
    'a few files kept open in the first half',
    ({ minute, files }) => ({ files: files + (minute > 28 ? 3 : 0) }),
    /^files went from 24 to 26/,
  ],
  [
    'a timer set at every rotation',
    ({ minute, timers }) => ({ timers: timers + Math.floor(minute) }),
    /^timers swing/,
  ],
  [
    'a kilobyte left behind by every exchange',
    ({ minute, rssKiB }) => ({ rssKiB: rssKiB + minute * EXCHANGES_PER_MINUTE }),
    /^RSS grows by \d+\.\d KiB\/min, more than 30\.0$/,
  ],
])('%s is told', (_, ail, objection) => {
  expect(judge(anHour(ail)).objections).toContainEqual(expect.stringMatching(objection));
});

test('a refresh that failed is told', () => {
  expect(judge({ ...anHour(), failures: 2 }).objections).toEqual(['2 refreshes failed']);
});
