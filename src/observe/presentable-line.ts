import type { Secret } from '../support/secret.ts';
import { sanitize } from '../support/text.ts';
import type { LogLine } from './describe.ts';

/** Of a list, such as a token's audiences. */
const MOST_ELEMENTS = 20;

const LONGEST_FIELD = 1_000;

/** A line as it may be logged: every text in it printable, of bounded length and without a secret. */
export function presentableLine(line: LogLine, secrets: readonly Secret[]): LogLine {
  const { level, event, message, fields } = line;
  return {
    level,
    event,
    message: sanitize(message, secrets),
    fields: Object.fromEntries(
      Object.entries(fields).map(([name, value]) => [name, presentableValue(value, secrets)]),
    ),
  };
}

function presentableValue(value: unknown, secrets: readonly Secret[]): unknown {
  if (typeof value === 'string') return sanitize(value, secrets, LONGEST_FIELD);
  if (!Array.isArray(value)) return value;
  const shown = value.slice(0, MOST_ELEMENTS).map((each) => presentableValue(each, secrets));
  return value.length > MOST_ELEMENTS ? [...shown, '…'] : shown;
}
