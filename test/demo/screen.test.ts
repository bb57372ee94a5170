import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { Happening } from './happening.ts';
import { advance, eventOf, openScene, type Scene } from './scene.ts';
import { drawScreen, eventLine, statusLine } from './screen.ts';

const beganMs = 1_800_000_000_000;
const rows = 30;

const swapped: Happening = {
  kind: 'kubelet',
  atMs: beganMs + 1_000,
  expiresAtMs: beganMs + 21_000,
};

const refreshed: Happening = {
  kind: 'pgpassd',
  atMs: beganMs + 2_000,
  line: {
    level: 'info',
    event: 'token.refreshed',
    message: 'obtained a token, valid for 10 s',
    tokenExpiresAtMs: beganMs + 12_000,
    nextRefreshInMs: 5_000,
  },
};

const refused: Happening = {
  kind: 'pgpassd',
  atMs: beganMs + 7_000,
  line: {
    level: 'error',
    event: 'refresh.failed',
    message: `Entra refused the exchange (400): AADSTS700016: ${'words '.repeat(60)}. Look there.`,
    remedy: 'Look there.',
  },
};

const connect: Happening = {
  kind: 'client',
  atMs: beganMs + 2_500,
  connect: { ok: true, tookMs: 31 },
};
const locked: Happening = {
  kind: 'client',
  atMs: beganMs + 3_000,
  connect: { ok: false, tookMs: 40, error: `FATAL: ${'no '.repeat(60)}` },
};

function sceneAfter(...happenings: Happening[]): Scene {
  return happenings.reduce(advance, openScene(beganMs, 'psql'));
}

function plain(scene: Scene, nowMs: number, height = rows): string[] {
  return drawScreen(scene, nowMs, height).map(stripVTControlCharacters);
}

function cellsOf(label: string, screen: string[]): string | undefined {
  return screen.find((line) => line.startsWith(` ${label}`))?.slice(18);
}

const busy = sceneAfter(
  ...[swapped, refreshed, refused, locked],
  ...Array.from({ length: 100 }, () => connect),
);

test.each([
  ['empty', sceneAfter()],
  ['busy and troubled', busy],
])('no line is wider than 80 columns: %s', (_, scene) => {
  for (const line of plain(scene, beganMs + 10_000)) expect(line.length).toBeLessThanOrEqual(80);
});

test('events give way to the rest on a low terminal, and are the latest', () => {
  const events = Array.from(
    { length: 15 },
    (_, index): Happening => ({ kind: 'demo', atMs: beganMs, text: `event ${index}` }),
  );
  const screen = plain(sceneAfter(...events), beganMs, 16);
  expect(screen).toHaveLength(16);
  expect(screen.filter((line) => line.includes('demo  '))).toEqual(
    [10, 11, 12, 13, 14].map((index) => `    0.0 s  demo      event ${index}`),
  );
});

describe('the bar of a token', () => {
  test.each([
    [2_000, `${'━'.repeat(20)}┿${'━'.repeat(19)}  10.0 s left`],
    [4_500, `${'━'.repeat(20)}┿${'━'.repeat(9)}${'─'.repeat(10)}  7.5 s left`],
    [9_500, `${'━'.repeat(10)}${'─'.repeat(10)}┼${'─'.repeat(19)}  2.5 s left`],
    [12_000, `${'─'.repeat(20)}┼${'─'.repeat(19)}  expired`],
    [99_000, `${'─'.repeat(20)}┼${'─'.repeat(19)}  expired`],
  ])('%i ms after the beginning', (sinceMs, cells) => {
    const screen = plain(sceneAfter(refreshed), beganMs + sinceMs);
    expect(cellsOf('access token', screen)).toBe(cells);
  });

  test('says so where there is no token yet', () => {
    expect(cellsOf('access token', plain(sceneAfter(), beganMs))).toMatch(/none yet$/);
  });
});

test('connects are counted, and the latest marked', () => {
  const screen = plain(sceneAfter(connect, locked, connect), beganMs);
  expect(cellsOf('connects', screen)).toBe('2 ok, 1 failed, the last took 31 ms');
  expect(screen).toContain(`${' '.repeat(18)}▪✗▪`);
});

test('trouble stands there in full until it is over', () => {
  const troubled = sceneAfter(refreshed, refused);
  const text = plain(troubled, beganMs).join('\n');
  expect(text).toContain('   Entra refused the exchange (400): AADSTS700016:');
  expect(text).toContain('\n   Look there.\n');
  const over = plain(advance(troubled, refreshed), beganMs).join('\n');
  expect(over).not.toContain('\n   Look there.\n');
  expect(over).toContain('failed refreshes 1');
});

test('only the first connect and changes of fortune are events', () => {
  const { events } = sceneAfter(connect, connect, locked, connect, connect);
  expect(events.map(({ text }) => text.slice(0, 20))).toEqual([
    'let in for the first',
    'connect failed: FATA',
    'let in again',
  ]);
});

test('a line for a log is whole, and has no colours', () => {
  const scene = sceneAfter();
  const event = eventOf(scene, refused);
  const line = event && eventLine(event, beganMs);
  expect(line).toBe(
    `    7.0 s  pgpassd   ${refused.kind === 'pgpassd' ? refused.line.message : ''}`,
  );
});

test('the state fits one line', () => {
  expect(statusLine(sceneAfter(), beganMs)).toBe(
    '    0.0 s  status    no token yet, rotated 0 (federated 0), connects 0 ok, 0 failed',
  );
  expect(statusLine(sceneAfter(refreshed, connect), beganMs + 3_000)).toBe(
    '    3.0 s  status    9.0 s left, rotated 0 (federated 0), connects 1 ok, 0 failed',
  );
});
