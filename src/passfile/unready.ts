import { finish, type Steps } from '../support/steps.ts';
import type { Entry } from './format.ts';
import { LINES_A_PIECE, LineIndex } from './line-index.ts';
import { type EntryLine, entryLinesOf } from './lines.ts';
import { servingInSteps } from './lookup.ts';
import type { FoundPassfile } from './read-passfile.ts';

/** Why a passfile is not ready. Two looks at the same trouble make equal reasons. */
export type Unready =
  /** No look has come to its end: the volume does not answer. */
  | { readonly kind: 'silent' }
  | { readonly kind: 'missing' | 'dangling' | 'not-a-file' | 'too-large' | 'no-lines' }
  | { readonly kind: 'loose'; readonly mode: number }
  | { readonly kind: 'unreadable'; readonly code: string; readonly ownerUid: number | undefined }
  | { readonly kind: 'no-line'; readonly entry: Entry }
  | { readonly kind: 'no-password' | 'placeholder' | 'cut'; readonly line: number }
  | { readonly kind: 'expired' | 'expiring'; readonly line: number; readonly expiresAtMs: number };

/** What `wait` waits for. */
export interface Wanted {
  /** Empty for every line of the file. */
  readonly entries: readonly Entry[];
  /** How long each token has to last. */
  readonly minValidityMs: number;
}

/**
 * What keeps a client from logging in with what was found; `undefined` when nothing does. A wildcard
 * in an entry stands for what is not known of the client: each line that it may get has to be good.
 * A password that does not tell its life counts as good.
 */
export function whyUnready(
  found: FoundPassfile,
  wanted: Wanted,
  nowMs: number,
): Unready | undefined {
  return finish(judgeInSteps(found, wanted, nowMs));
}

/** The same with a pause now and then, however many lines and entries there are. */
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
    const serving = yield* servingInSteps(yield* index.meeting(entry), entry);
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
    if (index % LINES_A_PIECE === LINES_A_PIECE - 1) yield;
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
