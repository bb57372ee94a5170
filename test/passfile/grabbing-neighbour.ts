import {
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { join } from 'node:path';

/**
 * Another user of the passfile's directory, who puts a link to a third user's file in the place of
 * everything that appears there, as fast as possible. Run as another user: `node FILE DIRECTORY UID HOW VICTIM`.
 */
const [directory = '', uid = '', how = '', victim = ''] = process.argv.slice(2);
process.setgid?.(Number(uid));
process.setuid?.(Number(uid));

const attempt = (work: () => void): boolean => {
  try {
    work();
    return true;
  } catch {
    return false;
  }
};

const namesIn = (path: string): string[] => {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
};

const plant = (path: string): boolean =>
  attempt(() => (how === 'hard-link' ? linkSync(victim, path) : symlinkSync(victim, path)));

function isOurs(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.uid === Number(uid);
}

/** Replaces what is there by a directory of our own, with links where files are expected. */
function grab(path: string, number: number): boolean {
  const aside = join(directory, `grabbed-${number}`);
  if (how === 'directory-link') {
    return attempt(() => {
      renameSync(path, aside);
      symlinkSync(join(victim, '..'), path);
    });
  }
  if (how === 'directory') {
    return attempt(() => {
      renameSync(path, aside);
      mkdirSync(path, 0o777);
    });
  }
  return attempt(() => unlinkSync(path)) && plant(path);
}

let grabbed = 0;
let running = true;
process.on('message', () => {
  running = false;
});
process.send?.('ready');

function round(): void {
  for (let turn = 0; turn < 200; turn += 1) {
    for (const name of readdirSync(directory)) {
      if (!name.startsWith('.pgpass.pgpassd-')) continue;
      const path = join(directory, name);
      // Into the directory, where it is one that lets us in.
      const inner = namesIn(path);
      for (const each of inner) {
        if (attempt(() => unlinkSync(join(path, each))) && plant(join(path, each))) grabbed += 1;
      }
      // What was grabbed stays beside it, and each look would take longer if it were grabbed once more.
      if (isOurs(path)) continue;
      if (grab(path, grabbed)) grabbed += 1;
      else attempt(() => rmdirSync(path));
    }
  }
  if (running) setImmediate(round);
  else process.send?.({ grabbed }, () => process.exit(0));
}
round();
