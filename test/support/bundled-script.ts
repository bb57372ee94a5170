import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import config from '../../rolldown.config.ts';

/** A script of a test in one file, whose start takes a quarter of the time that its sources take. */
export interface BundledScript {
  readonly path: string;
  remove(): Promise<void>;
}

export async function bundleScript(script: URL): Promise<BundledScript> {
  const directory = await mkdtemp(join(tmpdir(), 'pgpassd-script-'));
  const path = join(directory, 'script.mjs');
  const { platform, transform } = config;
  await using build = await rolldown({ input: fileURLToPath(script), platform, transform });
  await build.write({ file: path, codeSplitting: false });
  return { path, remove: () => rm(directory, { recursive: true }) };
}
