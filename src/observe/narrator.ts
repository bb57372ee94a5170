import type { RefreshEvent } from '../refresh/events.ts';
import type { Clock } from '../support/clock.ts';
import { describe, type LogLine } from './describe.ts';

/** How often a failure is told while clients are without a token and it stays the same. */
const REPEAT_MS = 60_000;

/**
 * Puts events into words, one after the other. What ails the watching ails it for every file: it is
 * told once, and at level debug for the others. Without a valid token in place the same failure
 * comes again and again: it is told once a minute, and at level debug in between.
 */
export function createNarrator(clock: Clock): (event: RefreshEvent) => LogLine {
  let watchFailureTold = false;
  let told: { readonly what: string; readonly atMs: number } | undefined;
  return (event) => {
    const line = describe(event);
    if (event.type === 'watch.failed') {
      if (watchFailureTold) return { ...line, level: 'debug' };
      watchFailureTold = true;
    }
    if (event.type === 'token.refreshed') told = undefined;
    if (event.type !== 'refresh.failed' || event.token !== undefined) return line;
    const { code, details } = event.error;
    const what = `${line.level} ${code} ${details.aadsts}`;
    const atMs = clock.now().monotonicMs;
    if (told?.what === what && atMs - told.atMs < REPEAT_MS) return { ...line, level: 'debug' };
    told = { what, atMs };
    return line;
  };
}
