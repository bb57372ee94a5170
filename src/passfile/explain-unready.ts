import type { Failure } from '../support/failure.ts';
import { duration } from '../support/text.ts';
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
export function explainUnready(unready: Unready, onlooker: Onlooker): Failure {
  const { path, nowMs, minValidityMs } = onlooker;
  switch (unready.kind) {
    case 'silent':
      return causes.passfileSilent({ path });
    case 'missing':
      return causes.passfileMissing({ path });
    case 'dangling':
      return causes.passfileDangling({ path });
    case 'not-a-file':
      return causes.passfileNotAFile({ path });
    case 'loose':
      return causes.passfileLoose({ path, mode: octal(unready.mode) });
    case 'unreadable':
      return explainUnreadable(unready, onlooker);
    case 'too-large':
      return causes.passfileTooLarge({ path });
    case 'no-lines':
      return causes.passfileWithoutLines({ path });
    case 'placeholder':
      return causes.passfileIsTemplate({
        path,
        line: unready.line,
        placeholder: PLACEHOLDER,
      });
    case 'cut':
      return causes.passfileTokenCut({ path, line: unready.line });
    case 'no-password':
      return causes.passfileWithoutPassword({ path, line: unready.line });
    case 'no-line':
      return causes.passfileWithoutEntry({ path, entry: formatEntry(unready.entry) });
    case 'expired':
      return causes.passfileExpired({
        path,
        line: unready.line,
        ago: duration(nowMs - unready.expiresAtMs),
      });
    case 'expiring':
      return causes.passfileExpiring({
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
): Failure {
  const reader = uid === undefined ? 'us' : `uid ${uid}`;
  const belonging = ownerUid === undefined ? '' : `; it belongs to uid ${ownerUid}`;
  return code === 'EACCES'
    ? causes.passfileForbidden({
        path,
        reader,
        belonging,
        // Root without its capabilities is no reader that a file is given to.
        uid: uid === undefined || uid === 0 ? '' : ` ${uid}`,
      })
    : causes.passfileUnreadable({ path, reader, belonging, code });
}

/** As chmod(1) takes it. */
export function octal(mode: number): string {
  return `0${mode.toString(8)}`;
}
