import { readFileSync } from 'node:fs';

const { version, engines } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
) as { version: string; engines: { node: string } };

export const VERSION = version;

/** The releases of Node.js that pgpassd runs on, as `engines` of package.json states them. */
export const NODE_RANGE = engines.node;

/** How pgpassd identifies itself to Entra. */
export const USER_AGENT = `pgpassd/${version} node/${process.versions.node}`;

type Release = readonly [major: number, minor: number, patch: number];

/**
 * Why pgpassd does not run on the Node.js release `running`, such as `24.15.0`, and what to do about it;
 * `undefined` when it does. `range` is the `engines.node` of a package.json whose alternatives are written
 * `^1.2.3` or `>=1.2.3`.
 */
export function whyUnsupported(running: string, range: string): string | undefined {
  const release = releaseOf(running);
  const alternatives = range.split('||').map((alternative) => alternative.trim());
  if (alternatives.some((alternative) => includes(alternative, release))) return undefined;
  return `this is Node.js ${running}, and pgpassd needs ${alternatives.map(inWords).join(', or ')}: install such a release, and put it first in PATH`;
}

function inWords(alternative: string): string {
  const lowest = alternative.replace(/^\D+/, '');
  return alternative.startsWith('>=')
    ? `${lowest} or later`
    : `${lowest} or a later ${releaseOf(lowest)[0]}`;
}

function includes(alternative: string, release: Release): boolean {
  const lowest = releaseOf(alternative.replace(/^\D+/, ''));
  if (compare(release, lowest) < 0) return false;
  return alternative.startsWith('>=') || release[0] === lowest[0];
}

function compare(one: Release, other: Release): number {
  return one[0] - other[0] || one[1] - other[1] || one[2] - other[2];
}

function releaseOf(version: string): Release {
  const [major, minor, patch] = version.split('.').map((number) => Number.parseInt(number, 10));
  return [major || 0, minor || 0, patch || 0];
}
