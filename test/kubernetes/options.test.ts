import { expect, test } from 'vitest';
import { readOptions, UsageError } from './options.ts';

const env = { PGPASSD_IMAGE: 'pgpassd:e2e', AZURE_IMAGE: 'azure:e2e' };
const images = { pgpassd: 'pgpassd:e2e', azure: 'azure:e2e', psql: 'postgres:18-alpine' };

test.each([
  [[], env, { images, requireInject: false }],
  [['--require-inject'], env, { images, requireInject: true }],
  [[], { ...env, PSQL_IMAGE: 'psql:1' }, { images: { ...images, psql: 'psql:1' } }],
  [['--help'], {}, 'help'],
])('%j is understood', (args, variables, options) => {
  expect(readOptions(args, variables)).toEqual(
    typeof options === 'string' ? options : { requireInject: false, ...options },
  );
});

test.each([
  [['--inject'], env, "Unknown option '--inject'; see --help."],
  [[], { AZURE_IMAGE: 'azure:e2e' }, 'PGPASSD_IMAGE is not set; see --help.'],
  [[], { ...env, AZURE_IMAGE: '' }, 'AZURE_IMAGE is not set; see --help.'],
])('%j is told in a sentence', (args, variables, message) => {
  expect(() => readOptions(args, variables)).toThrow(new UsageError(message));
});
