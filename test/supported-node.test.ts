import { describe, expect, test } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { whyUnsupported } from '../src/version.ts';

describe('what package.json asks for under engines', () => {
  test.each<[string, boolean]>([
    ['0.12.18', false],
    ['16.20.2', false],
    ['18.20.8', false],
    ['20.20.2', false],
    ['22.99.99', false],
    ['24.0.0', false],
    ['24.14.9', false],
    ['24.15.0', true],
    ['24.15.1', true],
    ['24.100.0', true],
    ['25.9.0', false],
    ['26.0.0', true],
    ['26.10.0', true],
    ['27.0.0-nightly20261101a1b2c3d4e5', true],
    ['100.0.0', true],
  ])('of Node.js %s it says: %s', (release, supported) => {
    expect(whyUnsupported(release, manifest.engines.node) === undefined).toBe(supported);
  });

  test('is met by the release that runs these tests', () => {
    expect(whyUnsupported(process.versions.node, manifest.engines.node)).toBeUndefined();
  });
});

test('what is wrong, and what to do about it, is one sentence', () => {
  expect(whyUnsupported('20.20.2', '^24.15.0 || >=26.0.0')).toBe(
    'this is Node.js 20.20.2, and pgpassd needs 24.15.0 or a later 24, or 26.0.0 or later: install such a release, and put it first in PATH',
  );
});

test.each<[string, string, boolean]>([
  ['24.15.0', '^24.15.1', false],
  ['24.16.0', '^24.15.1', true],
  ['25.0.0', '^24.15.1', false],
  ['25.0.0', '>=24.15.1', true],
  ['24.15.0', '>=24.15.1', false],
  ['1.2.3', '', false],
])('%s meets %s: %s', (release, range, met) => {
  expect(whyUnsupported(release, range) === undefined).toBe(met);
});
