import type { Entry } from '../../src/passfile/format.ts';

export function outcomeOf(parse: () => readonly Entry[]): readonly Entry[] | Error {
  try {
    return parse();
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
}
