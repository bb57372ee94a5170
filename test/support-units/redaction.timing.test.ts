import { describe, expect, test } from 'vitest';
import { Secret } from '../../src/support/secret.ts';
import { sanitizeStderr } from '../../src/token-command/failure.ts';
import { leastMs } from './own-time.ts';

const MIB = 1024 * 1024;

/** No text in which the same run comes twice. */
const varied = (length: number): string =>
  Array.from({ length: Math.ceil(length / 8) }, (_, at) => at.toString(36).padStart(8, 'x'))
    .join('')
    .slice(0, length);

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

describe('a command that prints 1 MiB and quotes it on stderr holds nothing up for 0.2 s', () => {
  test.each(courses)('%s', async (_name, stdout, stderr) => {
    const present = () => sanitizeStderr(stderr, [new Secret(stdout)]);
    expect(await leastMs(present, 200)).toBeLessThan(200);
  });
});

describe('redaction takes as long as a walk along both texts', () => {
  const repeats = ['a', 'ab', `${'a'.repeat(15)}b`];

  test.each(repeats)('of a text of 1 MiB from a secret of %s', async (unit) => {
    const secret = new Secret(`${'a'.repeat(2_500)}c`);
    const text = unit.repeat(MIB / unit.length);
    expect(await leastMs(() => secret.redactFrom(text), 100)).toBeLessThan(100);
  });

  test('of 1 MiB that shares nothing with a secret of 1 MiB', async () => {
    const secret = new Secret(varied(MIB).toUpperCase());
    const text = varied(MIB);
    expect(await leastMs(() => secret.redactFrom(text), 1_000)).toBeLessThan(1_000);
  });
});
