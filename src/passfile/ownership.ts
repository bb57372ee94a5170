import { LONGEST_TOKEN } from '../support/access-token.ts';
import { decodeJwtClaims } from '../support/jwt.ts';
import type { Steps } from '../support/steps.ts';
import { formatEntry, parseLine } from './format.ts';
import { BYTES, type PassfileLayout } from './layout.ts';
import { rawLines } from './raw-lines.ts';

/**
 * The number of the first line that pgpassd would not have written, and that would be lost if the file
 * were replaced; `undefined` when there is none. Ours are lines of `layout`, and lines whose
 * password is a JWT, whatever they are for: entries change. A blank line says nothing.
 */
export function* firstForeignLine(
  content: Buffer,
  layout: Pick<PassfileLayout, 'has'>,
): Steps<number | undefined> {
  for (const { text, number, pause } of rawLines(content.toString(BYTES))) {
    if (!isOurs(text, layout)) return number;
    if (pause) yield;
  }
  return undefined;
}

function isOurs(text: string, layout: Pick<PassfileLayout, 'has'>): boolean {
  if (/^[ \t]*$/.test(text)) return true;
  const line = text.includes('\0') ? undefined : parseLine(text);
  if (layout.has({ text, name: line && formatEntry(line.entry) })) return true;
  if (line === undefined || line.password.length > LONGEST_TOKEN) return false;
  return decodeJwtClaims(line.password) !== undefined;
}
