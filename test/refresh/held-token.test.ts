import { describe, expect, test } from 'vitest';
import { adopted, type HeldToken, inPlace, received } from '../../src/refresh/held-token.ts';
import { leftMs } from '../../src/refresh/schedule.ts';
import { Secret } from '../../src/support/secret.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const start = { wallMs: Date.UTC(2026, 10, 24), monotonicMs: 0 };
const later = (ms: number) => ({ wallMs: start.wallMs + ms, monotonicMs: ms });
const at = (now = start) => ({ now, fraction: 0.5, random: () => 0 });
const issued = (text: string, delayMs: number, since = start) => ({
  token: new Secret(text),
  life: { since, delayMs },
});
const first = received({ issued: issued('one', hourMs), cause: 'due' }, undefined, at());

const again = (text: string, lifeMs: number, afterMs: number, held: HeldToken = first) =>
  received(
    { issued: issued(text, lifeMs, later(afterMs)), cause: 'due' },
    held,
    at(later(afterMs)),
  );

test('a token is held from the request for it, and is due at its share of that', () => {
  expect(inPlace(first, start)).toMatchObject({ remainingMs: hourMs, lifeMs: hourMs });
  expect(leftMs(first.due, start)).toBe(30 * minuteMs);
});

describe('the token in place again', () => {
  test('keeps its end, however long it claims to live', () => {
    const second = again('one', hourMs, 30 * minuteMs);
    expect(inPlace(second, later(30 * minuteMs))?.remainingMs).toBe(30 * minuteMs);
    expect(leftMs(second.due, later(30 * minuteMs))).toBe(15 * minuteMs);
  });

  test('keeps it time after time', () => {
    let held = first;
    for (let afterMs = 10 * minuteMs; afterMs < hourMs; afterMs += 10 * minuteMs) {
      held = again('one', hourMs, afterMs, held);
      expect(inPlace(held, later(afterMs))?.remainingMs).toBe(hourMs - afterMs);
    }
  });

  test('is no token once it has expired', () => {
    expect(() => again('one', hourMs, hourMs)).toThrow('had expired before it could be written');
  });

  test('is not asked for more often than every ten seconds near its end', () => {
    const second = again('one', hourMs, hourMs - 15_000);
    expect(leftMs(second.due, later(hourMs - 15_000))).toBe(7_500);
    const third = again('one', hourMs, hourMs - 25_000);
    expect(leftMs(third.due, later(hourMs - 25_000))).toBe(12_500);
  });
});

describe('a token that ends before the one in place', () => {
  test('does not replace it when the refresh was only due', () => {
    const held = again('two', minuteMs, 30 * minuteMs);
    expect(held.token).toBe(first.token);
    expect(inPlace(held, later(30 * minuteMs))?.remainingMs).toBe(30 * minuteMs);
  });

  test.each(['request', 'rotation'] as const)('replaces it on a %s', (cause) => {
    const askedAt = later(minuteMs);
    const held = received({ issued: issued('two', minuteMs, askedAt), cause }, first, at(askedAt));
    expect(held.token.unwrap()).toBe('two');
  });

  test('replaces it once that has expired', () => {
    expect(again('two', minuteMs, hourMs).token.unwrap()).toBe('two');
  });

  test('replaces nothing when it expired on its way', () => {
    const slow = { issued: issued('two', 5_000), cause: 'request' } as const;
    expect(() => received(slow, first, at(later(6_000)))).toThrow('had expired before');
  });
});

describe('a token found in place', () => {
  const found = { token: new Secret('left'), issuedAtMs: start.wallMs - 20 * minuteMs };

  test.each<[string, number, number]>([
    ['is due at its share of its life', hourMs, 10 * minuteMs],
    ['is due at once when it claims fifty years', 50 * 365 * 24 * hourMs, 0],
  ])('%s', (_case, lifeMs, expectedMs) => {
    const expiresAtMs = found.issuedAtMs + lifeMs;
    const held = adopted({ ...found, expiresAtMs }, at());
    expect(Math.max(0, leftMs(held.due, start))).toBe(expectedMs);
  });

  test('lives for 28 hours at most', () => {
    const expiresAtMs = found.issuedAtMs + 40 * hourMs;
    expect(inPlace(adopted({ ...found, expiresAtMs }, at()), start)?.remainingMs).toBe(
      28 * hourMs - 20 * minuteMs,
    );
  });
});
