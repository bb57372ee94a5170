import { afterAll, beforeAll } from 'vitest';
import { startTimeoutMs } from '../support/postgres/server.ts';
import { type Cloud, openCloud } from './cloud.ts';
import type { CleanUp } from './container.ts';
import { buildTimeoutMs, pgpassdImage } from './images.ts';
import { openPod, type Pod, type PodOptions } from './pod.ts';

/** The cloud and the image of a suite, which its tests open their pods with. */
export function pods(): (
  context: { readonly onTestFinished: CleanUp },
  options?: PodOptions,
) => Promise<Pod> {
  let cloud: Cloud;
  let image: string;
  beforeAll(async () => {
    [cloud, image] = await Promise.all([openCloud(), pgpassdImage()]);
  }, buildTimeoutMs + startTimeoutMs);
  afterAll(() => cloud?.close());
  return (context, options = {}) => openPod(cloud, image, context, options);
}
