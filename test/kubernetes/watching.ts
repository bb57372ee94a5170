import type { Kubectl } from './kubectl.ts';

interface KubernetesObject {
  readonly status?: unknown;
}

export interface WatchOptions {
  /** What is waited for, for the error. */
  readonly what: string;
  readonly timeoutMs: number;
}

export interface Change<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: T;
}

/**
 * Looks at objects as they are, and again at each change, until a look finds what it is after.
 *
 * @throws after the time allowed, with the status that was looked at last; or what the look throws
 */
export async function watchUntil<T extends KubernetesObject, R>(
  kubectl: Kubectl,
  args: readonly string[],
  look: (change: Change<T>) => R | undefined,
  { what, timeoutMs }: WatchOptions,
): Promise<R> {
  let last: Change<T> | undefined;
  const signal = AbortSignal.timeout(timeoutMs);
  for await (const change of changes<T>(kubectl, args, signal)) {
    last = change;
    const found = look(change);
    if (found !== undefined) return found;
  }
  const seen = last === undefined ? 'nothing' : JSON.stringify(last.object.status);
  throw new Error(`waited ${timeoutMs / 1000} s for ${what}, and saw last: ${seen}`);
}

/** A watch ends when the API server closes it, and is then taken up again. */
async function* changes<T>(
  kubectl: Kubectl,
  args: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<Change<T>> {
  const watch = [...args, '--watch', '--output-watch-events', '--output=json'];
  while (!signal.aborted) {
    yield* objects<Change<T>>(kubectl.lines(['get', ...watch], signal));
  }
}

/** One object a line, or indented ones: either way, only the last line of each begins and ends so. */
async function* objects<T>(lines: AsyncIterable<string>): AsyncGenerator<T> {
  let text = '';
  for await (const line of lines) {
    text += `${line}\n`;
    if (line.startsWith(' ') || !line.endsWith('}')) continue;
    yield JSON.parse(text) as T;
    text = '';
  }
}
