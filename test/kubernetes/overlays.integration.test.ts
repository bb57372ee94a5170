import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { hasKubectl, parseManifests } from '../manifests/kubectl.ts';
import { type Case, findProblems, releases } from '../manifests/schema.ts';
import { defaultIdentity, defaultResource } from '../support/fake-entra/directory.ts';
import { overlays, renderOverlay, withImages } from './manifests.ts';

const images = { pgpassd: 'pgpassd:e2e', psql: 'psql@sha256:0', azure: 'azure:e2e' };

/** The rest are parts of these. */
const applied = readdirSync(overlays).filter((name) => name !== 'azure');
/** Before 1.36 their kinds are of another version, or are not there. */
const withPolicies = ['inject'];

describe.skipIf(!hasKubectl)('the overlays', () => {
  const texts = new Map<string, string>();

  beforeAll(async () => {
    for (const name of applied) texts.set(name, await renderOverlay(name, images));
  });

  test.each(applied)('%s renders, with the images to try', (name) => {
    const text = texts.get(name);
    expect(text).not.toContain('registry.example.com');
    if (name !== 'injected') expect(text).toContain('pgpassd:e2e');
    if (name !== 'inject') expect(text).toContain('psql@sha256:0');
  });

  test(`are what Kubernetes ${releases.join(', ')} takes`, () => {
    const cases = releases.flatMap((release) =>
      applied
        .filter((name) => release === '1.36' || !withPolicies.includes(name))
        .flatMap((name) => parseManifests(texts.get(name) ?? ''))
        .map((manifest): Case => ({ release, manifest })),
    );
    expect(cases.length).toBeGreaterThan(releases.length * (applied.length - 1));
    expect(findProblems(cases)).toEqual(cases.map(() => []));
  });

  test.each(['sidecar', 'stranger', 'cronjob', 'component', 'inject'])(
    '%s has the identity that Entra knows, and the scope',
    (name) => {
      const text = texts.get(name);
      const { tenantId, clientId, audience } = defaultIdentity;
      for (const each of [tenantId, clientId, audience, `${defaultResource}/.default`]) {
        expect(text).toContain(each);
      }
    },
  );
});

test('an image that nobody put in is noticed', () => {
  expect(() => withImages('image: registry.example.com/other:1', images)).toThrow(
    'nothing was put in for registry.example.com/other:1',
  );
});

test('the scenarios apply every overlay, and none that is not there', () => {
  const scenarios = join(import.meta.dirname, 'scenarios');
  const sources = readdirSync(scenarios).map((file) => readFileSync(join(scenarios, file), 'utf8'));
  const named = [...sources.join('').matchAll(/\.apply\('(\w+)'\)/g)].map(([, name]) => name);
  expect([...new Set(named)].toSorted()).toEqual(applied.toSorted());
});
