import { describe, expect, test } from 'vitest';
import { Secret } from '../../src/support/secret.ts';
import { presentableLines } from '../../src/token-command/stderr.ts';

const MIB = 1024 * 1024;

/** No text in which the same run comes twice. */
const varied = (length: number): string =>
  Array.from({ length: Math.ceil(length / 8) }, (_, at) => at.toString(36).padStart(8, 'x'))
    .join('')
    .slice(0, length);

/** Of this thread's own time, the least of a few: the first runs are the compiler's. */
function leastMs(work: () => unknown): number {
  const tookMs = Array.from({ length: 9 }, () => {
    const since = process.threadCpuUsage();
    work();
    const { user, system } = process.threadCpuUsage(since);
    return (user + system) / 1000;
  });
  return Math.min(...tookMs);
}

const inLines = (text: string): string => text.replaceAll(/.{190}/g, '$&\n');

const alike = varied(8 * 1024);

/** Up to the bounds of stdout and of stderr: what is hard for one search is easy for another. */
const courses: readonly [name: string, stdout: string, stderr: string][] = [
  ['its end', varied(MIB), varied(MIB).slice(-8 * 1024)],
  ['its end in lines', varied(MIB), inLines(varied(MIB).slice(-8 * 1024))],
  [
    'its end with mistakes',
    varied(MIB),
    inLines(
      varied(MIB)
        .slice(-8 * 1024)
        .replaceAll(/(.{40})./g, '$1!'),
    ),
  ],
  ['one letter', 'a'.repeat(MIB), 'a'.repeat(8 * 1024)],
  ['almost one letter', 'a'.repeat(MIB), inLines('baaaaaaaaaaaaaaa'.repeat(512))],
  ['a short period', 'abcdefghijklmnopq'.repeat(61_000), 'abcdefghijklmnopq'.repeat(480)],
  ['all of stderr over and over', alike.repeat(128), alike],
  ['lines', `${'a'.repeat(40)}\n`.repeat(25_000), `${'a'.repeat(40)}\n`.repeat(200)],
];

describe('a command that prints 1 MiB and quotes it on stderr holds nothing up for 50 ms', () => {
  test.each(courses)('%s', (_name, stdout, stderr) => {
    expect(leastMs(() => presentableLines(stderr, [new Secret(stdout)]))).toBeLessThan(50);
  });
});

describe('redaction takes twice the time for twice the length', () => {
  const growth = (work: (length: number) => unknown) =>
    leastMs(() => work(MIB)) / leastMs(() => work(MIB / 8));

  test('of a secret', () => {
    const secrets = new Map([MIB, MIB / 8].map((each) => [each, new Secret(varied(each))]));
    const text = varied(8 * 1024);
    // Eight times as long: a search that is quadratic would take 64 times.
    expect(growth((length) => secrets.get(length)?.redactFrom(text))).toBeLessThan(40);
  });

  test('of a text', () => {
    const texts = new Map([MIB, MIB / 8].map((each) => [each, varied(each)]));
    const secret = new Secret(varied(2_500));
    expect(growth((length) => secret.redactFrom(texts.get(length) ?? ''))).toBeLessThan(40);
  });
});
