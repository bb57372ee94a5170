import { join } from 'node:path';
import { renderText } from '../manifests/kubectl.ts';
import type { Images } from './options.ts';

export const overlays = join(import.meta.dirname, 'overlays');

/** The manifests of an overlay, with the images to try. */
export async function renderOverlay(name: string, images: Images): Promise<string> {
  return withImages(await renderText(join(overlays, name)), images);
}

/**
 * Puts in our own, as the manifests ask for: also where an admission policy names it in an expression.
 *
 * @throws when an image is left that no cluster has
 */
export function withImages(manifests: string, images: Images): string {
  const text = manifests
    .replaceAll(/\bregistry\.example\.com\/pgpassd:[\w.]+/g, images.pgpassd)
    .replaceAll(/\bregistry\.example\.com\/psql:[\w.]+/g, images.psql)
    .replaceAll(/\bregistry\.example\.com\/pgpassd-azure:[\w.]+/g, images.azure);
  const [left] = /\bregistry\.example\.com\/\S*/.exec(text) ?? [];
  if (left !== undefined) throw new Error(`nothing was put in for ${left}`);
  return text;
}
