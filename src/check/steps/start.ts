import type { Config } from '../../config/config.ts';
import { filesToRead } from '../../config/read-files.ts';
import { wholeOwner } from '../../passfile/inspect.ts';
import {
  entriesLayout,
  layoutOf,
  objectionToSize,
  type PassfileLayout,
  readTemplate,
} from '../../passfile/layout.ts';
import { passfileIsItsTemplate, passfileIsRead } from '../../passfile/messages.ts';
import { findOwnership, refusalOf } from '../../passfile/ownership.ts';
import type { Failure } from '../../support/failure.ts';
import { firstSameFile, isSameFile } from '../../support/files.ts';
import type { Scene } from '../scene.ts';
import { namesEntries } from './settings.ts';

/** Why `run` and `once` would not start with these settings, as far as the passfile is to blame. */
export interface StartObjections {
  /** What is wrong with the settings, whatever is in place. */
  readonly settings: Failure | undefined;
  /** That the file in place is not pgpassd's to replace. */
  readonly inPlace: Failure | undefined;
}

/**
 * Foresees them with the eyes of the daemon; none where its settings are not all known: in the args of another
 * container there may be a template, which says what the whole file is to be.
 */
export async function foreseeStart(scene: Scene, path: string): Promise<StartObjections> {
  const { config } = scene.reading;
  if (config === undefined || !namesEntries(scene)) {
    return { settings: undefined, inPlace: undefined };
  }
  const layout = await layoutFor(config);
  const settings =
    (await sameFile(config, scene, path)) ?? (layout && objectionToSize(layout, path));
  return { settings, inPlace: layout && (await objectionInPlace(config, layout, path)) };
}

/** In the order of the daemon. */
async function sameFile(
  config: Config,
  { env }: Scene,
  path: string,
): Promise<Failure | undefined> {
  const same = await firstSameFile(path, filesToRead(config, env));
  if (same !== undefined) return passfileIsRead({ setting: same.setting });
  const isTemplate = config.template !== undefined && (await isSameFile(path, config.template));
  return isTemplate ? passfileIsItsTemplate() : undefined;
}

/** When the volume fails, that is told with the passfile. */
async function objectionInPlace(
  { owner, mode, template }: Config,
  layout: PassfileLayout,
  path: string,
): Promise<Failure | undefined> {
  const target = { path, mode, owner: owner && wholeOwner(owner) };
  const ownership = await findOwnership(target, layout, undefined).catch(() => undefined);
  return ownership && refusalOf(ownership, target, template !== undefined);
}

/** What is wrong with a template is told with the settings. */
async function layoutFor({ entries, template }: Config): Promise<PassfileLayout | undefined> {
  if (template === undefined) return entriesLayout(entries);
  return await readTemplate(template)
    .then((bytes) => layoutOf(bytes, template))
    .catch(() => undefined);
}
