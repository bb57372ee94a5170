import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseRetryAfterMs } from '../../src/entra/answer.ts';

const nowMs = Date.parse('2026-11-24T12:00:00Z');

describe('Retry-After', () => {
  test.each([
    ['60', 60_000],
    [' 60 ', 60_000],
    ['1', 1_000],
    ['3600', 3_600_000],
    ['Tue, 24 Nov 2026 12:01:30 GMT', 90_000],
  ])('%j means what RFC 9110 says', (header, expectedMs) => {
    expect(parseRetryAfterMs(header, nowMs)).toBe(expectedMs);
  });

  test.each([
    ['no wait at all', '0', 1_000],
    ['a time that has passed', 'Tue, 24 Nov 2026 11:00:00 GMT', 1_000],
    ['this very moment', 'Tue, 24 Nov 2026 12:00:00 GMT', 1_000],
    ['more than an hour', '3601', 3_600_000],
    ['a day', 'Wed, 25 Nov 2026 12:00:00 GMT', 3_600_000],
    ['an absurd number', '9'.repeat(400), 3_600_000],
  ])('that asks for %s is kept within a second and an hour', (_case, header, expectedMs) => {
    expect(parseRetryAfterMs(header, nowMs)).toBe(expectedMs);
  });

  test.each([
    undefined,
    '',
    ' ',
    'soon',
    '60 seconds',
    '60, 60',
    '1e3',
    '-5',
    '1.5',
    '+60',
    'NaN',
    'Infinity',
  ])('%j is none', (header) => {
    expect(parseRetryAfterMs(header, nowMs)).toBeUndefined();
  });

  test('as a date or in seconds keeps us away for as long', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3_600 }), (seconds) => {
        const date = new Date(nowMs + seconds * 1_000).toUTCString();
        expect(parseRetryAfterMs(date, nowMs)).toBe(seconds * 1_000);
        expect(parseRetryAfterMs(String(seconds), nowMs)).toBe(seconds * 1_000);
      }),
    );
  });

  test('never keeps us away for less than a second or more than an hour', () => {
    const header = fc.oneof(
      fc.nat().map(String),
      fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
      fc.string(),
    );
    fc.assert(
      fc.property(header, (text) => {
        const delayMs = parseRetryAfterMs(text, nowMs) ?? 1_000;
        expect(delayMs).toBeGreaterThanOrEqual(1_000);
        expect(delayMs).toBeLessThanOrEqual(3_600_000);
      }),
    );
  });
});
