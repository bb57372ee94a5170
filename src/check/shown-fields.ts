import { ANY } from '../passfile/format.ts';
import { type EntryLine, type FieldName, fieldNames } from '../passfile/lookup.ts';
import { holdsJwt } from '../support/secret.ts';
import { sanitizeValue } from '../support/text.ts';

/**
 * Whether the fields of a line hold what they are for. Where they are out of order, one may be a
 * password that nobody is to see.
 */
export function isInOrder({ entry, facts, oddities }: EntryLine): boolean {
  const port = entry.port === ANY || /^\d+$/.test(entry.port);
  const holdsToken = fieldNames.some((name) => holdsJwt(entry[name] ?? ''));
  return port && !holdsToken && facts.kind !== 'empty' && oddities.length === 0;
}

/** These fields of a line, in words. */
export function shownFields(line: EntryLine, names: readonly FieldName[]): string {
  const shown = names.map((name) =>
    isInOrder(line) ? `${name} ${sanitizeValue(line.entry[name] ?? '*')}` : `another ${name}`,
  );
  return shown.join(' and ');
}
