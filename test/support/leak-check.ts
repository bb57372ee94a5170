/** Fewer characters in common with a secret may be chance; more are a piece of it. */
export const PIECE_LENGTH = 16;

/**
 * For each secret that `output` holds a piece of, the first such piece in the secret's order: any
 * run of 16 characters, or the whole of a shorter secret.
 */
export function findLeaks(output: string, secrets: Iterable<string>): string[] {
  const outputPieces = new Set(piecesOf(output));
  const leaks: string[] = [];
  for (const secret of secrets) {
    if (secret === '') throw new Error('an empty secret is in every output');
    if (secret.length < PIECE_LENGTH) {
      if (output.includes(secret)) leaks.push(secret);
      continue;
    }
    const leaked = piecesOf(secret).find((piece) => outputPieces.has(piece));
    if (leaked !== undefined) leaks.push(leaked);
  }
  return leaks;
}

function piecesOf(text: string): string[] {
  const count = Math.max(0, text.length - PIECE_LENGTH + 1);
  return Array.from({ length: count }, (_, at) => text.slice(at, at + PIECE_LENGTH));
}
