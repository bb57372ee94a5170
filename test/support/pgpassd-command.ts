import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { reachableBy } from './reachable.ts';

export interface CommandOptions {
  readonly args?: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Another user than our own, for the superuser only; the group gets the same number. */
  readonly uid?: number;
  /** The program to test; the sources, or what PGPASSD_ENTRY names, unless told otherwise. */
  readonly entry?: string;
  /** A program and its arguments that pgpassd's command line is appended to. */
  readonly under?: readonly string[];
}

/** As `spawn` takes it. */
interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly options: {
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly cwd?: string;
    readonly uid?: number;
    readonly gid?: number;
  };
}

/** Most of a start is compiling; two thirds of it are spared when Node remembers the result. */
export const compileCache = fileURLToPath(
  new URL('../../node_modules/.cache/node', import.meta.url),
);

const sources = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** The real program with nothing of our environment but PATH, and with Node's compile cache. */
export function pgpassdCommand(given: CommandOptions): Command {
  const { args = [], uid, under = [] } = given;
  const entry = given.entry ?? resolve(process.env['PGPASSD_ENTRY'] || sources);
  const ours = { node: process.execPath, entry };
  const started = uid === undefined ? ours : reachableBy(uid, ours);
  const [program = '', ...words] = [...under, started.node, started.entry, ...args];
  const env = { PATH: process.env['PATH'], NODE_COMPILE_CACHE: compileCache, ...given.env };
  return {
    program,
    args: words,
    options: { env, ...(uid !== undefined && { uid, gid: uid, cwd: '/' }) },
  };
}
