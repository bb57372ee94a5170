import { resolve } from 'node:path';
import type { Environment } from '../../config/given.ts';
import { type FoundPassfile, readPassfile } from '../../passfile/inspect.ts';
import { withoutLinks } from './place.ts';

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

/** Where a client looks that is not told where; `undefined` when it has no home either. */
export function defaultPassfile({ HOME }: Environment): string | undefined {
  return HOME ? `${HOME}/.pgpass` : undefined;
}

/** Whether both names lead to the same place: /var/run is mostly a link to /run. */
export async function isSamePath(one: string, other: string): Promise<boolean> {
  const [first, second] = await Promise.all(
    [one, other].map((path) => withoutLinks(resolve(path))),
  );
  return first === second;
}
