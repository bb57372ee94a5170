import { constants, open } from 'node:fs/promises';
import type { JwtClaims } from '../support/jwt.ts';
import type { Secret } from '../support/secret.ts';
import { type AdoptedToken, adoptToken } from './adopt.ts';
import type { PassfileLayout } from './layout.ts';
import {
  type PassfileTarget,
  publishPassfile,
  removePassfile,
  sweepLeftovers,
  tryDirectory,
} from './publish.ts';

/** The passfile as the refresher sees it. Every method throws PgpassdError `passfile.*`. */
export interface Passfile {
  /** Tries the directory and removes leftovers; returns how many there were. */
  prepare(): Promise<number>;
  /** The token of a passfile already in place whose lines are exactly ours. */
  adopt(): Promise<AdoptedToken | undefined>;
  publish(token: Secret): Promise<'written' | 'unchanged'>;
  remove(): Promise<void>;
}

/** Larger than any passfile of ours; what is larger is not ours to adopt. */
const LARGEST_PASSFILE_BYTES = 4 * 1024 * 1024;

/**
 * `layout` is asked for at each use: a template may have changed. `isOurs` tells from a token's
 * claims whether it is one that we would ask for.
 */
export function createPassfile(
  target: PassfileTarget,
  layout: () => PassfileLayout,
  isOurs: (claims: JwtClaims) => boolean,
): Passfile {
  return {
    async prepare() {
      const swept = await sweepLeftovers(target);
      await tryDirectory(target);
      return swept;
    },

    async adopt() {
      const inPlace = await readInPlace(target.path);
      return inPlace && adoptToken(inPlace.content, inPlace.writtenAtMs, layout(), isOurs);
    },

    publish: (token) => publishPassfile(target, layout().render(token.unwrap())),

    remove: () => removePassfile(target),
  };
}

/** A file that libpq would not read, or that is not a file, is not in service: nothing to adopt. */
async function readInPlace(
  path: string,
): Promise<{ content: Buffer; writtenAtMs: number } | undefined> {
  const file = await open(
    path,
    constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW,
  ).catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    const stats = await file.stat();
    const acceptable = stats.isFile() && (stats.mode & 0o077) === 0;
    if (!acceptable || stats.size > LARGEST_PASSFILE_BYTES) return undefined;
    return { content: await file.readFile(), writtenAtMs: stats.mtimeMs };
  } finally {
    await file.close();
  }
}
