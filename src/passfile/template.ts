import { LONGEST_TOKEN } from '../support/access-token.ts';
import { escapeText, formatEntry, parseLine, passwordSpan, unescapeText } from './format.ts';
import { BYTES, type PassfileLayout } from './layout.ts';
import { rawLines } from './raw-lines.ts';

/** The password of a line that is to hold the token. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: the template's own syntax
export const PLACEHOLDER = '${token}';

/** With a backslash before each character. */
const LONGEST_ESCAPED_TOKEN = 2 * LONGEST_TOKEN;

/**
 * The layout of a template: an ordinary passfile whose managed lines have the password `${token}`.
 * Everything else stays byte for byte. `undefined` when no line is managed.
 */
export function templateLayout(template: Buffer): PassfileLayout | undefined {
  const text = template.toString(BYTES);
  const literals = splitAtPlaceholders(text);
  if (literals.length === 1) return undefined;
  const [head = ''] = literals;
  const render = (password: string) => Buffer.from(literals.join(escapeText(password)), BYTES);
  const { names, others } = linesOf(text);
  return {
    render,
    managedLines: literals.length - 1,
    has: (line) => others.has(line.text) || (line.name !== undefined && names.has(line.name)),
    passwordIn(content) {
      const end = head.length + LONGEST_ESCAPED_TOKEN;
      const rest = content.toString(BYTES, head.length, end + 1);
      const [escaped = ''] = /^(?:\\.|[^\\:\r\n])*/.exec(rest) ?? [];
      if (escaped.length > LONGEST_ESCAPED_TOKEN) return undefined;
      const password = unescapeText(escaped);
      return render(password).equals(content) ? password : undefined;
    },
  };
}

/** The text around the managed passwords: one piece more than there are of them. */
function splitAtPlaceholders(text: string): string[] {
  const literals: string[] = [];
  let done = 0;
  let at = text.indexOf(PLACEHOLDER);
  while (at >= 0) {
    const start = text.lastIndexOf('\n', at) + 1;
    const end = text.indexOf('\n', at) + 1 || text.length;
    const line = text.slice(start, end);
    const span = passwordSpan(line);
    if (span !== undefined && line.slice(span.start, span.end) === PLACEHOLDER) {
      literals.push(text.slice(done, start + span.start));
      done = start + span.end;
    }
    at = text.indexOf(PLACEHOLDER, end);
  }
  return [...literals, text.slice(done)];
}

/** The fields of the managed lines, and the other lines whole. */
function linesOf(text: string) {
  const names = new Set<string>();
  const others = new Set<string>();
  for (const { text: line } of rawLines(text)) {
    const span = passwordSpan(line);
    const managed = span !== undefined && line.slice(span.start, span.end) === PLACEHOLDER;
    const parsed = managed ? parseLine(line) : undefined;
    if (parsed === undefined) others.add(line);
    else names.add(formatEntry(parsed.entry));
  }
  return { names, others };
}
