import type { Connect, Happening } from './happening.ts';
import { count, emptyTally, type Tally } from './tally.ts';

/** Something worth a line. */
export interface Event {
  readonly atMs: number;
  readonly source: string;
  readonly text: string;
  readonly tone: 'plain' | 'good' | 'bad';
}

/** All that the screen shows. */
export interface Scene {
  readonly beganMs: number;
  readonly client: string;
  readonly tally: Tally;
  /** The oldest first, and no more than a screen takes. */
  readonly events: readonly Event[];
}

const REMEMBERED_EVENTS = 20;

export function openScene(beganMs: number, client: string): Scene {
  return { beganMs, client, tally: emptyTally, events: [] };
}

export function advance(scene: Scene, happening: Happening): Scene {
  const event = eventOf(scene, happening);
  return {
    ...scene,
    tally: count(scene.tally, happening),
    events: event ? [...scene.events, event].slice(-REMEMBERED_EVENTS) : scene.events,
  };
}

/** What to say of a happening; most connects go without a word. */
export function eventOf(scene: Scene, happening: Happening): Event | undefined {
  const { kind, atMs } = happening;
  switch (kind) {
    case 'demo':
      return { atMs, source: kind, text: happening.text, tone: 'plain' };
    case 'kubelet':
      return { atMs, source: kind, text: '..data points at a new federated token', tone: 'plain' };
    case 'pgpassd': {
      const { level, event, message } = happening.line;
      const tone = event === 'token.refreshed' ? 'good' : 'plain';
      const alarming = level === 'warn' || level === 'error';
      return { atMs, source: kind, text: message, tone: alarming ? 'bad' : tone };
    }
    case 'client': {
      const text = wordsFor(happening.connect, scene.tally);
      if (text === undefined) return undefined;
      return { atMs, source: scene.client, text, tone: happening.connect.ok ? 'good' : 'bad' };
    }
  }
}

function wordsFor({ ok, tookMs, error }: Connect, { connects }: Tally): string | undefined {
  if (!ok) return `connect failed: ${error}`;
  if (connects.last === undefined) return `let in for the first time, in ${Math.round(tookMs)} ms`;
  return connects.last.ok ? undefined : 'let in again';
}
