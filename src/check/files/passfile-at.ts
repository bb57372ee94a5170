import { resolve } from 'node:path';
import { type FoundPassfile, readPassfile } from '../../passfile/read-lines.ts';

/** The passfile as a client finds it. */
export interface PassfileAt {
  /** Absolute. */
  readonly path: string;
  readonly found: FoundPassfile;
}

/** `undefined` when no setting names one. */
export async function findPassfile(setting: string | undefined): Promise<PassfileAt | undefined> {
  if (setting === undefined) return undefined;
  const path = resolve(setting);
  return { path, found: await readPassfile(path) };
}

export function isSamePath(one: string, other: string): boolean {
  return resolve(one) === resolve(other);
}
