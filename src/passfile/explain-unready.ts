import { type Told, tell } from '../support/cause.ts';
import { duration } from '../support/duration.ts';
import * as causes from './causes.ts';
import { formatEntry } from './format.ts';
import { PLACEHOLDER } from './template.ts';
import type { Unready } from './unready.ts';

/** What the sentences name besides. */
export interface Onlooker {
  readonly path: string;
  /** Who looks; absent where users have no numbers. */
  readonly uid: number | undefined;
  readonly nowMs: number;
  readonly minValidityMs: number;
}

/** The reason in words for an operator; its code is `passfile.*`. */
export function explainUnready(unready: Unready, onlooker: Onlooker): Told {
  const { path, nowMs, minValidityMs } = onlooker;
  switch (unready.kind) {
    case 'silent':
      return tell(causes.passfileSilent, { path });
    case 'missing':
      return tell(causes.passfileMissing, { path });
    case 'dangling':
      return tell(causes.passfileDangling, { path });
    case 'not-a-file':
      return tell(causes.passfileNotAFile, { path });
    case 'loose':
      return tell(causes.passfileLoose, { path, mode: octal(unready.mode) });
    case 'unreadable':
      return explainUnreadable(unready, onlooker);
    case 'too-large':
      return tell(causes.passfileTooLarge, { path });
    case 'no-lines':
      return tell(causes.passfileWithoutLines, { path });
    case 'placeholder':
      return tell(causes.passfileIsTemplate, {
        path,
        line: unready.line,
        placeholder: PLACEHOLDER,
      });
    case 'cut':
      return tell(causes.passfileTokenCut, { path, line: unready.line });
    case 'no-password':
      return tell(causes.passfileWithoutPassword, { path, line: unready.line });
    case 'no-line':
      return tell(causes.passfileWithoutEntry, { path, entry: formatEntry(unready.entry) });
    case 'expired':
      return tell(causes.passfileExpired, {
        path,
        line: unready.line,
        ago: duration(nowMs - unready.expiresAtMs),
      });
    case 'expiring':
      return tell(causes.passfileExpiring, {
        path,
        line: unready.line,
        left: duration(unready.expiresAtMs - nowMs),
        minValidity: duration(minValidityMs),
      });
  }
}

function explainUnreadable(
  { code, ownerUid }: Extract<Unready, { readonly kind: 'unreadable' }>,
  { path, uid }: Onlooker,
): Told {
  const reader = uid === undefined ? 'us' : `uid ${uid}`;
  const belonging = ownerUid === undefined ? '' : `; it belongs to uid ${ownerUid}`;
  return code === 'EACCES'
    ? tell(causes.passfileForbidden, {
        path,
        reader,
        belonging,
        // Root without its capabilities is no reader that a file is given to.
        uid: uid === undefined || uid === 0 ? '' : ` ${uid}`,
      })
    : tell(causes.passfileUnreadable, { path, reader, belonging, code });
}

/** As chmod(1) takes it. */
export function octal(mode: number): string {
  return `0${mode.toString(8)}`;
}
