import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

const foreign = new Set(['.git', 'bundle', 'dist', 'node_modules']);

/** A file's text, by its path in the repository. */
export function readText(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** Paths in the repository of all files that end so, except those that tools create. */
export function filesEndingIn(...endings: string[]): string[] {
  const within = (folder: string): string[] =>
    readdirSync(join(root, folder), { withFileTypes: true })
      .filter(({ name }) => !foreign.has(name))
      .flatMap((entry) => {
        const path = posix.join(folder, entry.name);
        if (entry.isDirectory()) return within(path);
        return endings.some((ending) => path.endsWith(ending)) ? [path] : [];
      });
  return within('.').sort();
}

/** What users read: the README and the pages of docs/. */
export const userPages: readonly string[] = [
  'README.md',
  ...filesEndingIn('.md').filter((path) => path.startsWith('docs/')),
];

/** The fragments that links to a page may have, as GitHub makes them from headings. */
export function anchorsOf(text: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of withoutCode(text).matchAll(/^#{1,6} +(.+?) *$/gm)) {
    const words = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const slug = words.replaceAll(/[^\p{L}\p{N}\p{M} _-]/gu, '').replaceAll(' ', '-');
    let anchor = slug;
    for (let count = 1; anchors.has(anchor); count += 1) anchor = `${slug}-${count}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** What a page links to within the repository, and the pictures that it shows. */
export function linksOf(page: string, text: string): { path: string; anchor: string }[] {
  const targets = [...withoutCode(text, 'spans as well').matchAll(/\]\(([^)\s]+)\)/g)];
  return targets
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [, path = '', anchor = ''] = /^([^#]*)#?(.*)$/.exec(target) ?? [];
      return { path: path === '' ? page : posix.join(posix.dirname(page), path), anchor };
    });
}

/** Blocks of code, and if asked for spans, hold neither headings nor links. */
function withoutCode(text: string, spans?: 'spans as well'): string {
  const withoutBlocks = text.replaceAll(/^```[\s\S]*?^```/gm, '').replaceAll(/^ {4,}.*$/gm, '');
  return spans ? withoutBlocks.replaceAll(/`[^`\n]*`(?!\])/g, '') : withoutBlocks;
}
