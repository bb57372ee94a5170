type Attributes = Readonly<Record<string, string | number | undefined>>;

/** An element; its children are XML, so texts go through `escapeXml` first. */
export function element(name: string, attributes: Attributes, ...children: string[]): string {
  const pairs = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${escapeXml(String(value))}"`)
    .join('');
  return children.length === 0
    ? `<${name}${pairs}/>`
    : `<${name}${pairs}>${children.join('')}</${name}>`;
}

/** For content and for attributes. Characters that XML 1.0 cannot contain become U+FFFD. */
export function escapeXml(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, '\u{FFFD}')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** A whole picture, with a line for each part so that diffs stay readable. */
export function picture(
  { width, height, title }: { width: number; height: number; title: string },
  parts: readonly string[],
): string {
  const attributes = {
    xmlns: 'http://www.w3.org/2000/svg',
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
    role: 'img',
  };
  const lines = ['', element('title', {}, escapeXml(title)), ...parts, ''];
  return `${element('svg', attributes, lines.join('\n'))}\n`;
}
