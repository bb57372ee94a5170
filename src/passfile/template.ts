import { escapeText, formatEntry, parseLine, passwordSpan, unescapeText } from './format.ts';
import { BYTES, type PassfileLayout } from './layout.ts';
import { rawLines } from './raw-lines.ts';

/** The password of a line that is to hold the token. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: the template's own syntax
export const PLACEHOLDER = '${token}';

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
      const rest = content.toString(BYTES).slice(head.length);
      const password = unescapeText(/^(?:\\.|[^\\:\r\n])*/.exec(rest)?.[0] ?? '');
      return render(password).equals(content) ? password : undefined;
    },
  };
}

/** The text around the managed passwords: one piece more than there are of them. */
function splitAtPlaceholders(text: string): string[] {
  const literals = [''];
  for (const line of text.split(/(?<=\n)/)) {
    const span = passwordSpan(line);
    const managed = span !== undefined && line.slice(span.start, span.end) === PLACEHOLDER;
    if (!managed) literals.push(`${literals.pop()}${line}`);
    else literals.push(`${literals.pop()}${line.slice(0, span.start)}`, line.slice(span.end));
  }
  return literals;
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
