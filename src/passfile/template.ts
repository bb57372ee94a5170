import { escapeText, passwordSpan, unescapeText } from './format.ts';
import type { PassfileLayout } from './layout.ts';

/** The password of a line that is to hold the token. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: the template's own syntax
export const PLACEHOLDER = '${token}';

/** Every byte as one character, so that what is not UTF-8 survives as well. */
const BYTES = 'latin1';

/**
 * The layout of a template: an ordinary passfile whose managed lines have the password `${token}`.
 * Everything else stays byte for byte. `undefined` when no line is managed.
 */
export function templateLayout(template: Buffer): PassfileLayout | undefined {
  const literals = splitAtPlaceholders(template.toString(BYTES));
  if (literals.length === 1) return undefined;
  const [head = ''] = literals;
  const render = (password: string) => Buffer.from(literals.join(escapeText(password)), BYTES);
  return {
    render,
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
