import { describe, expect, test } from 'vitest';
import { Secret } from '../../src/support/secret.ts';
import { sanitizeStderr } from '../../src/token-command/failure.ts';

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
    expect(leastMs(() => sanitizeStderr(stderr, [new Secret(stdout)]))).toBeLessThan(50);
  });
});

describe('redaction takes as long as a walk along both texts', () => {
  const repeats = ['a', 'ab', `${'a'.repeat(15)}b`];

  test.each(repeats)('of a text of 1 MiB from a secret of %s', (unit) => {
    const secret = new Secret(`${'a'.repeat(2_500)}c`);
    const text = unit.repeat(MIB / unit.length);
    expect(leastMs(() => secret.redactFrom(text))).toBeLessThan(100);
  });

  test('of 1 MiB that shares nothing with a secret of 1 MiB', () => {
    const secret = new Secret(varied(MIB).toUpperCase());
    expect(leastMs(() => secret.redactFrom(varied(MIB)))).toBeLessThan(1_000);
  });
});
