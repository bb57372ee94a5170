import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { PLACEHOLDER } from '../../src/passfile/format.ts';
import { createProjectedVolume } from '../support/projected-volume.ts';
import { openWorkload, type Workload } from './workload.ts';

export const templateOf = (host: string) =>
  `# kept\r\nother:*:*:me:hunter2\n${host}:5432:*:app:${PLACEHOLDER}\n\n`;

/** `run` with a template that a ConfigMap volume projects. */
export async function openTemplate(): Promise<
  Workload & { change(template: string): Promise<void>; path: string }
> {
  const workload = await openWorkload();
  const volume = await createProjectedVolume({ layout: 'flat' });
  onTestFinished(() => volume.close());
  const change = (template: string) => volume.writeFiles({ pgpass: template });
  await change(templateOf('one'));
  return { ...workload, change, path: join(volume.root, 'pgpass') };
}

/** The template takes the place of entries. */
export const entries = { PGPASSD_ENTRIES: undefined };
