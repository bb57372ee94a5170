import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { V1CronJob } from 'kubernetes-1.36/dist/gen/models/V1CronJob.js';
import { expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { variableOf } from '../../src/config/option.ts';
import { options } from '../../src/config/options.ts';
import { exitCodeOf } from '../../src/support/errors.ts';
import { userPages } from '../documents/markdown.ts';
import { everyPgpassd } from './containers.ts';
import { manifestsFolder, parseManifests } from './kubectl.ts';

const root = join(manifestsFolder, '..');
const image = `registry.example.com/pgpassd:${packageJson.version}`;

const texts = [
  ...userPages,
  ...readdirSync(manifestsFolder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.yaml'))
    .map((path) => `manifests/${path}`),
];

test('a job fails at once with the exit codes that no retry mends, of a container that it has', () => {
  const [job] = parseManifests(read('manifests/cronjob/short-job.yaml'));
  const { podFailurePolicy, template } = (job as unknown as V1CronJob).spec?.jobTemplate.spec ?? {};
  const rule = podFailurePolicy?.rules.find(({ action }) => action === 'FailJob')?.onExitCodes;
  expect(rule?.values).toEqual([exitCodeOf('config.invalid'), exitCodeOf('passfile.unwritable')]);
  expect(template?.spec?.initContainers?.map(({ name }) => name)).toContain(rule?.containerName);
});

test.each(texts)('%s names only variables, folders and images that there are', (path) => {
  const text = read(path);
  const known = Object.entries(options).map(([name, option]) => variableOf(name, option));
  for (const [variable] of text.matchAll(/\bPGPASSD_[A-Z]\w+/g)) expect(known).toContain(variable);
  for (const [folder] of text.matchAll(/\bmanifests\/[\w./-]*\w/g)) {
    expect(existsSync(join(root, folder)), folder).toBe(true);
  }
  for (const [tagged] of text.matchAll(/\bregistry\.example\.com\/pgpassd:[\w.]+/g)) {
    expect(tagged).toBe(image);
  }
});

test.each(texts.filter((path) => path.endsWith('/kustomization.yaml')))(
  '%s has the image of this release, if any',
  (path) => {
    const [kustomization] = parseManifests(read(path));
    const images = (kustomization?.['images'] ?? []) as readonly { name: string; newTag: string }[];
    const tags = images.filter(({ name }) => name === 'registry.example.com/pgpassd');
    for (const { newTag } of tags) expect(newTag).toBe(packageJson.version);
  },
);

test('Prometheus scrapes the port by the name that it has', () => {
  const [monitor] = parseManifests(read('manifests/monitoring/pod-monitor.yaml'));
  const ports = everyPgpassd().flatMap(({ container }) => container.ports ?? []);
  expect(ports.length).toBeGreaterThan(0);
  expect(monitor?.['spec']).toMatchObject({
    podMetricsEndpoints: [{ port: ports[0]?.name, path: '/metrics' }],
  });
});

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}
