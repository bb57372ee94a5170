import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { rolldown } from 'rolldown';
import config from '../../rolldown.config.ts';

/**
 * Bundles the program as the image does, before the tests that start it: its start takes half as long
 * as that of the sources. Another PGPASSD_ENTRY is left as it is.
 */
export default async function bundle(): Promise<void> {
  if (process.env['PGPASSD_ENTRY'] !== undefined) return;
  const { output, ...input } = config;
  const directory = resolve(import.meta.dirname, '../..', output.dir);
  await using build = await rolldown(input);
  const { output: files } = await build.generate(output);
  await mkdir(directory, { recursive: true });
  for (const file of files) {
    const content = file.type === 'chunk' ? file.code : file.source;
    await writeWhereOther(join(directory, file.fileName), Buffer.from(content));
  }
  process.env['PGPASSD_ENTRY'] = join(directory, 'main.js');
}

/** What other test runs of this checkout may be loading stays as it is, unless the sources have changed. */
async function writeWhereOther(path: string, content: Buffer): Promise<void> {
  const found = await readFile(path).catch(() => undefined);
  if (!found?.equals(content)) await writeFile(path, content);
}
