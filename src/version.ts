import { readFileSync } from 'node:fs';

const { version } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
) as { version: string };

export const VERSION = version;

/** What we call ourselves towards Entra. */
export const USER_AGENT = `pgpassd/${version} node/${process.versions.node}`;
