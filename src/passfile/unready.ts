import { finish, type Steps } from '../support/clock.ts';
import type { Entry } from './format.ts';
import type { FoundPassfile } from './inspect.ts';
import {
  type EntryLine,
  entryLinesOf,
  LINES_PER_STEP,
  LineIndex,
  servingInSteps,
} from './lookup.ts';

/** Why a passfile is not ready. The same problem always gives an equal value. */
export type Unready =
  /** No check has finished: the volume does not answer. */
  | { readonly kind: 'silent' }
  | { readonly kind: 'missing' | 'dangling' | 'not-a-file' | 'too-large' | 'no-lines' }
  | { readonly kind: 'loose'; readonly mode: number }
  | { readonly kind: 'unreadable'; readonly code: string; readonly ownerUid: number | undefined }
  | { readonly kind: 'no-line'; readonly entry: Entry }
  | { readonly kind: 'no-password' | 'placeholder' | 'cut'; readonly line: number }
  | { readonly kind: 'expired' | 'expiring'; readonly line: number; readonly expiresAtMs: number };

/** What the passfile has to provide to count as ready. */
export interface Wanted {
  /** Empty means every line of the file. */
  readonly entries: readonly Entry[];
  /** How long each token has to remain valid. */
  readonly minValidityMs: number;
}

/**
 * What keeps a client from logging in with this passfile; `undefined` when nothing does. A wildcard in an
 * entry stands for an unknown value of the client: every line that it may get has to be good. A password
 * that does not state its life counts as good.
 */
export function whyUnready(
  found: FoundPassfile,
  wanted: Wanted,
  nowMs: number,
): Unready | undefined {
  return finish(judgeInSteps(found, wanted, nowMs));
}

/** The same in steps, for any number of lines and entries. */
export function* judgeInSteps(
  found: FoundPassfile,
  { entries, minValidityMs }: Wanted,
  nowMs: number,
): Steps<Unready | undefined> {
  if (found.kind !== 'lines') return whyIgnored(found);
  const all = entryLinesOf(found.lines);
  if (all.length === 0) return { kind: 'no-lines' };
  if (entries.length === 0) return yield* firstFault(all, minValidityMs, nowMs);
  const index = new LineIndex(all);
  for (const entry of entries) {
    const serving = yield* servingInSteps(yield* index.matching(entry), entry);
    const why: Unready | undefined =
      serving.length === 0
        ? { kind: 'no-line', entry }
        : yield* firstFault(serving, minValidityMs, nowMs);
    if (why !== undefined) return why;
    yield;
  }
  return undefined;
}

function whyIgnored(found: Exclude<FoundPassfile, { readonly kind: 'lines' }>): Unready {
  switch (found.kind) {
    case 'missing':
      return { kind: found.symlink ? 'dangling' : 'missing' };
    case 'loose':
      return { kind: 'loose', mode: found.file.mode };
    case 'unreadable':
      return { kind: 'unreadable', code: found.code, ownerUid: found.file?.uid };
    case 'not-a-file':
    case 'too-large':
      return { kind: found.kind };
  }
}

function* firstFault(
  lines: readonly EntryLine[],
  minValidityMs: number,
  nowMs: number,
): Steps<Unready | undefined> {
  for (const [index, line] of lines.entries()) {
    if (index % LINES_PER_STEP === LINES_PER_STEP - 1) yield;
    const fault = faultOf(line, minValidityMs, nowMs);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function faultOf(
  { number: line, facts: { kind, expiresAtMs } }: EntryLine,
  minValidityMs: number,
  nowMs: number,
): Unready | undefined {
  if (kind === 'empty') return { kind: 'no-password', line };
  if (kind === 'placeholder' || kind === 'cut') return { kind, line };
  if (expiresAtMs === undefined) return undefined;
  if (expiresAtMs <= nowMs) return { kind: 'expired', line, expiresAtMs };
  return expiresAtMs - nowMs < minValidityMs ? { kind: 'expiring', line, expiresAtMs } : undefined;
}
