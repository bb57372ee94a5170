import { execFile, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';

/** What every Kubernetes object has, and whatever else it says. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly [field: string]: unknown;
}

/** The manifests of the repository. */
export const manifestsFolder = fileURLToPath(new URL('../../manifests/', import.meta.url));

/** What kubectl 1.27 brings: before, replacements cannot make a field in each element of a list. */
const FIRST_KUSTOMIZE = 5;

/** Whether the Kustomize in this machine's kubectl, if there is one, is new enough. */
export const hasKubectl = kustomizeMajor() >= FIRST_KUSTOMIZE;

function kustomizeMajor(): number {
  const { stdout } = spawnSync('kubectl', ['version', '--client', '--output=json'], {
    encoding: 'utf8',
  });
  const version = /"kustomizeVersion": "v(\d+)/.exec(stdout ?? '')?.[1];
  return Number(version ?? 0);
}

/** The text that `kubectl kustomize` makes of a folder. */
export async function renderText(folder: string): Promise<string> {
  const { stdout } = await promisify(execFile)('kubectl', ['kustomize', folder]);
  return stdout;
}

/** The manifests that `kubectl kustomize` makes of a folder. */
export async function render(folder: string): Promise<readonly Manifest[]> {
  return parseManifests(await renderText(folder));
}

/** @throws when the text is no YAML, or says a field twice */
export function parseManifests(text: string): readonly Manifest[] {
  return parseAllDocuments(text).map((document) => {
    for (const problem of [...document.errors, ...document.warnings]) throw problem;
    return document.toJS() as Manifest;
  });
}
