import type { Secret } from '../../support/secret.ts';
import { replaceUnprintable } from '../../support/text.ts';

const LONGEST_LOOKED_AT = 4000;
const LONGEST_SHOWN = 300;

/** What a server says, as it may be shown: printable, of bounded length, without a piece of `token`. */
export function quote(text: string, token: Secret): string {
  const clean = token.redactFrom(replaceUnprintable(text.slice(0, LONGEST_LOOKED_AT)));
  return clean.length > LONGEST_SHOWN ? `${clean.slice(0, LONGEST_SHOWN)}…` : clean;
}

/** https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-STRINGS */
export function sqlLiteral(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`;
  // Right whether or not standard_conforming_strings is on.
  return text.includes('\\') ? `E${quoted.replaceAll('\\', '\\\\')}` : quoted;
}

/** https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS */
export function sqlIdentifier(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}
