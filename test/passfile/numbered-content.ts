import { createHash } from 'node:crypto';

const BYTES = 4096;

/** A line whose password shows whether it is complete: its number, filler, and a digest of both. */
export function numberedContent(number: number): string {
  const head = `${number}-${String(number % 10).repeat(BYTES)}`;
  return `localhost:5432:*:legacy-app:${head}-${digest(head)}\n`;
}

/** What is wrong with `content`; `undefined` when it is whole. */
export function checkContent(content: string): string | undefined {
  if (content === '') return 'empty';
  const [, head, sum] =
    /^localhost:5432:\*:legacy-app:(\d+-\d+)-([\da-f]{64})\n$/.exec(content) ?? [];
  return head !== undefined && digest(head) === sum
    ? undefined
    : `partial: ${content.length} bytes`;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
