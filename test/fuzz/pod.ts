import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { assertion, issued } from './secrets.ts';

/** Files of all kinds, below one directory. */
export interface Pod {
  readonly root: string;
  /** Where relative paths lead. */
  readonly cwd: string;
  /** What has changed since the last call, as paths; everything is as before afterwards. */
  settle(passfile: string | undefined): readonly string[];
}

const line = 'db.example.com:5432:*:app';

/** What can stand in the place of a passfile, a template, a token or a CA, by name. */
const files: Readonly<Record<string, string>> = {
  token: assertion,
  'token-cut': assertion.slice(0, 80),
  empty: '',
  template: `# a template\n${line}:\${token}\n`,
  ours: `${line}:${issued}\n`,
  noise: '\u0000\u001b[31m\u202e\r\n::::\n',
  'out/pgpass': '',
};

/** The names of `files`, and what is no file. */
export const names: readonly string[] = [
  ...Object.keys(files),
  'out/new',
  'missing/new',
  'link',
  'dangling',
  'out',
  'out/\u202ename',
];

/** A pod in memory, where the system has one there. */
export function openPod(): Pod {
  const root = mkdtempSync(join(tmpdir(), 'pgpassd-fuzz-'));
  process.once('exit', () => rmSync(root, { recursive: true, force: true }));
  const cwd = join(root, 'cwd');
  const fill = () => {
    mkdirSync(cwd, { recursive: true });
    mkdirSync(join(root, 'out'), { recursive: true });
    for (const [name, content] of Object.entries(files)) {
      rmSync(join(root, name), { recursive: true, force: true });
      writeFileSync(join(root, name), content, { mode: 0o600 });
    }
    for (const [name, target] of Object.entries({ link: 'token', dangling: 'nowhere' })) {
      rmSync(join(root, name), { recursive: true, force: true });
      symlinkSync(target, join(root, name));
    }
  };
  fill();
  let before = stateOf(root);
  return {
    root,
    cwd,
    settle(passfile) {
      const now = stateOf(root);
      const changed = [...new Set([...before.keys(), ...now.keys()])].filter(
        (path) => before.get(path) !== now.get(path),
      );
      if (changed.length > 0) {
        for (const path of changed) {
          if (!before.has(path)) rmSync(path, { recursive: true, force: true });
        }
        fill();
        before = stateOf(root);
      }
      const own = passfile === undefined ? undefined : resolve(cwd, passfile);
      return changed.filter((path) => own === undefined || !isNameOf(path, own));
    },
  };
}

/** The passfile itself, and what pgpassd makes beside it: files, and a directory that it writes in. */
function isNameOf(path: string, passfile: string): boolean {
  if (path === passfile) return true;
  const name = basename(passfile);
  const own = [`.${name}.pgpassd-`, `${name}.before-pgpassd`, `${name}.displaced-`];
  const [beside = ''] = relative(dirname(passfile), path).split('/');
  return own.some((each) => beside.startsWith(each));
}

/** What stands below a directory, by path. */
function stateOf(directory: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    found.set(path, kindOf(path));
  }
  return found;
}

function kindOf(path: string): string {
  const stats = lstatSync(path);
  if (stats.isSymbolicLink()) return `-> ${readlinkSync(path)}`;
  if (stats.isDirectory()) return 'a directory';
  return [stats.mode, stats.ino, stats.size, stats.mtimeMs, stats.ctimeMs].join(' ');
}
