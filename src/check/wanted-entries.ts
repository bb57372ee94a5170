import type { Entry } from '../passfile/format.ts';
import { readTemplate } from '../passfile/layout.ts';
import { entryLinesOf, parseLines } from '../passfile/lookup.ts';
import type { Scene } from './scene.ts';
import { namesEntries } from './steps/settings.ts';

/** Whom the passfile should have a line for, as far as this container knows. */
export async function wantedEntries(scene: Scene): Promise<readonly Entry[]> {
  const { reading, env } = scene;
  const { template } = reading.values;
  if (template !== undefined) return await managedEntries(template);
  // A service comes before libpq's variables, which alone would be left then.
  return env['PGSERVICE'] && !namesEntries(scene) ? [] : reading.entries;
}

/** None when the template cannot be read, which is told with the settings. */
async function managedEntries(template: string): Promise<readonly Entry[]> {
  const bytes = await readTemplate(template).catch(() => Buffer.alloc(0));
  return entryLinesOf(parseLines(bytes.toString()))
    .filter(({ facts }) => facts.kind === 'placeholder')
    .map(({ entry }) => entry);
}
