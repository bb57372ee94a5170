import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { parseDaemonLine } from './daemon.ts';
import {
  advance,
  drawScreen,
  emptyScreen,
  eventLine,
  type ScreenState,
  shownEventOf,
  statusLine,
} from './screen.ts';
import type { DemoEvent } from './tally.ts';

const beganMs = 1_800_000_000_000;
const rows = 30;

const pgpassd = (afterMs: number, fields: object): DemoEvent => ({
  kind: 'pgpassd',
  atMs: beganMs + afterMs,
  line: parseDaemonLine(JSON.stringify(fields)),
});
const rotated: DemoEvent = {
  kind: 'kubelet',
  atMs: beganMs + 1_000,
  expiresAtMs: beganMs + 21_000,
};
const refreshed = pgpassd(2_000, {
  level: 'info',
  event: 'token.refreshed',
  msg: 'obtained a token, valid for 10 s',
  tokenExpiresAt: new Date(beganMs + 12_000).toISOString(),
  nextRefreshInSeconds: 5,
});
const refusal = `Entra refused the exchange (400): AADSTS700016: ${'words '.repeat(60)}.`;
const failure = {
  event: 'refresh.failed',
  msg: `${refusal} Look there. There is no token yet; next try in 1 s.`,
  remedy: 'Look there.',
  nextTryInSeconds: 1.9,
};
const failed = pgpassd(7_000, { ...failure, level: 'error', failures: 1 });
const failedAgain = pgpassd(8_000, { ...failure, level: 'debug', failures: 2 });
const metrics: DemoEvent = { kind: 'metrics', atMs: beganMs + 8_000, failedRefreshes: 4 };

const connect = (tookMs = 31, error?: string): DemoEvent => ({
  kind: 'client',
  atMs: beganMs + 2_500,
  connect: error === undefined ? { ok: true, tookMs } : { ok: false, tookMs, error },
});
const refused = connect(40, `FATAL: ${'no '.repeat(60)}`);

const stateAfter = (...events: DemoEvent[]): ScreenState =>
  events.reduce(advance, emptyScreen(beganMs, 'psql'));
const plain = (state: ScreenState, nowMs = beganMs, height = rows): string[] =>
  drawScreen(state, nowMs, height).map(stripVTControlCharacters);
const cellsOf = (label: string, screen: string[]): string | undefined =>
  screen.find((line) => line.startsWith(` ${label}`))?.slice(18);

test.each([
  ['empty', stateAfter()],
  ['full', stateAfter(rotated, refreshed, failed, refused, ...Array(100).fill(connect()))],
])('no line is wider than 80 columns: %s', (_, state) => {
  for (const line of plain(state, beganMs + 10_000)) expect(line.length).toBeLessThanOrEqual(80);
});

test('a low terminal shows only the latest events, and everything else', () => {
  const events = Array.from(
    { length: 15 },
    (_, index): DemoEvent => ({ kind: 'demo', atMs: beganMs, text: `event ${index}` }),
  );
  const screen = plain(stateAfter(...events), beganMs, 16);
  expect(screen).toHaveLength(16);
  expect(screen.filter((line) => line.includes('demo  '))).toEqual(
    [10, 11, 12, 13, 14].map((index) => `    0.0 s  demo      event ${index}`),
  );
});

describe('the bar of a token', () => {
  test.each([
    [2_000, `${'━'.repeat(20)}┿${'━'.repeat(19)}  10.0 s left`],
    [9_500, `${'━'.repeat(10)}${'─'.repeat(10)}┼${'─'.repeat(19)}  2.5 s left`],
    [99_000, `${'─'.repeat(20)}┼${'─'.repeat(19)}  expired`],
  ])('%i ms after the start', (sinceMs, cells) => {
    expect(cellsOf('access token', plain(stateAfter(refreshed), beganMs + sinceMs))).toBe(cells);
  });

  test('is empty while there is no token', () => {
    expect(cellsOf('access token', plain(stateAfter()))).toMatch(/none yet$/);
    const expired = pgpassd(2_000, {
      level: 'info',
      event: 'token.refreshed',
      msg: 'obtained a token',
    });
    expect(cellsOf('access token', plain(stateAfter(expired)))).toMatch(/none yet$/);
  });
});

test('rotations are the tokens after the first, and those that pgpassd has noticed', () => {
  const noticed = pgpassd(3_000, { level: 'info', event: 'federated-token.changed', msg: '' });
  const cells = (...events: DemoEvent[]) => cellsOf('rotations', plain(stateAfter(...events)));
  expect(cells(refreshed, rotated)).toBe('access token 0, federated token 0');
  expect(cells(refreshed, refreshed, refreshed, noticed)).toBe('access token 2, federated token 1');
});

test('connects are counted, and the latest are marked', () => {
  const screen = plain(stateAfter(connect(), refused, connect()));
  expect(cellsOf('connects', screen)).toBe('2 ok, 1 failed, the last took 31 ms');
  expect(screen).toContain(`${' '.repeat(18)}▪✗▪`);
});

test('a failure and its remedy stay on the screen until a token arrives', () => {
  const failing = stateAfter(refreshed, failed, failedAgain, metrics);
  const text = plain(failing).join('\n');
  expect(text).toContain('   Entra refused the exchange (400): AADSTS700016:');
  expect(text).toContain('\n   Look there.\n');
  expect(text).not.toContain('There is no token yet;\n');
  const over = plain(advance(failing, refreshed)).join('\n');
  expect(over).not.toContain('\n   Look there.\n');
  expect(over).toContain('failed refreshes 4');
});

test('each retry is an event, and so are the first connect and every change of its result', () => {
  const { events } = stateAfter(
    failed,
    failedAgain,
    metrics,
    connect(),
    connect(),
    refused,
    connect(),
  );
  expect(events.map(({ text }) => text.slice(0, 49))).toEqual([
    failure.msg.slice(0, 49),
    'attempt 2 failed in the same way; next try in 1.9',
    'logged in for the first time, in 31 ms',
    `connect failed: FATAL: ${'no '.repeat(60)}`.slice(0, 49),
    'logged in again',
  ]);
});

test('a line of output that is not a terminal is whole, and has no colours', () => {
  const shown = shownEventOf(stateAfter(), failed);
  expect(shown && eventLine(shown, beganMs)).toBe(`    7.0 s  pgpassd   ${failure.msg}`);
});

test('the state fits on one line', () => {
  expect(statusLine(stateAfter(), beganMs)).toBe(
    '    0.0 s  status    no token yet, rotated 0 (federated 0), connects 0 ok, 0 failed',
  );
  expect(statusLine(stateAfter(refreshed, connect()), beganMs + 3_000)).toBe(
    '    3.0 s  status    9.0 s left, rotated 0 (federated 0), connects 1 ok, 0 failed',
  );
  expect(statusLine(stateAfter(failed, metrics), beganMs + 9_000)).toBe(
    '    9.0 s  status    no token yet, rotated 0 (federated 0), failed refreshes 4, connects 0 ok, 0 failed',
  );
});
