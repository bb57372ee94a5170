import { readFileSync } from 'node:fs';

const { version, engines } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
) as { version: string; engines: { node: string } };

export const VERSION = version;

/** The releases of Node.js that pgpassd runs on, as `engines` of package.json states them. */
export const NODE_RANGE = engines.node;

/** How pgpassd identifies itself to Entra. */
export const USER_AGENT = `pgpassd/${version} node/${process.versions.node}`;
