import type { Tally } from './tally.ts';

export interface DaemonEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

/** How a run of the demo went. */
export interface Course {
  readonly client: string;
  readonly tally: Tally;
  /** From the first token in place on, which is when the client starts; absent without one. */
  readonly watchedMs: number | undefined;
  readonly ending: 'as asked' | 'no token' | 'daemon ended';
  readonly daemon: DaemonEnd;
}

export const FIRST_TOKEN_WITHIN_MS = 10_000;

/**
 * How many rotations a run has to show, by how long it was watched. A token lives ten seconds and is
 * refreshed after less than five, so this leaves slack for one that is late.
 */
const rules = [
  { fromMs: 20_000, rotations: 3 },
  { fromMs: 6_000, rotations: 1 },
] as const;

export interface RotationRule {
  readonly fromMs: number;
  readonly rotations: number;
}

/** None where the demo was stopped within seconds. */
export function rotationRuleFor(watchedMs: number): RotationRule {
  return rules.find(({ fromMs }) => watchedMs >= fromMs) ?? { fromMs: 0, rotations: 0 };
}

/** What speaks against the run, one sentence each. With nothing the demo has shown what it should. */
export function objections({ client, tally, watchedMs, ending, daemon }: Course): string[] {
  const { ok, failed } = tally.connects;
  const { rotations: called } = rotationRuleFor(watchedMs ?? 0);
  const found: string[] = [];
  if (ending === 'no token') {
    found.push(`pgpassd put no token in place within ${FIRST_TOKEN_WITHIN_MS / 1000} s.`);
  }
  if (ending === 'daemon ended') found.push(`pgpassd ended by itself, with ${words(daemon)}.`);
  else if (daemon.code !== 0) found.push(`pgpassd ended with ${words(daemon)} on SIGTERM.`);
  if (failed > 0) found.push(`${failed} of ${ok + failed} connects by ${client} failed.`);
  if (tally.accessTokenRotations < called) {
    found.push(
      `The access token was rotated ${tally.accessTokenRotations} times instead of ${called}.`,
    );
  }
  if (ending === 'as asked' && ok + failed === 0) {
    found.push('The demo was stopped before the first connect, so nothing was shown.');
  }
  return found;
}

export function words({ code, signal }: DaemonEnd): string {
  return signal === null ? `exit code ${code}` : signal;
}
