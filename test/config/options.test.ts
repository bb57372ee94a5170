import { expect, expectTypeOf, test } from 'vitest';
import { settingsHelp, settingsTable } from '../../src/config/help.ts';
import { readConfig } from '../../src/config/load.ts';
import type { Environment } from '../../src/config/option.ts';
import { withDefault } from '../../src/config/option.ts';
import { optionGroups } from '../../src/config/options.ts';
import { parseDurationMs } from '../../src/config/values.ts';

/** The table with one more entry, and nothing else. */
const extended = {
  ...optionGroups,
  timing: {
    ...optionGroups.timing,
    gracePeriodMs: withDefault('5s', parseDurationMs, {
      placeholder: 'DURATION',
      usedBy: ['run'],
      help: 'wait this long before the first refresh',
    }),
  },
};

const pod: Environment = {
  PGPASSFILE: '/pgpass/pgpass',
  PGPASSD_ENTRIES: 'db:5432:*:my-app',
  AZURE_TENANT_ID: 'tenant.example',
  AZURE_CLIENT_ID: 'client',
  AZURE_FEDERATED_TOKEN_FILE: '/token',
};

test('a new setting is one entry: the configuration has its value, and its type', () => {
  const { config } = readConfig({}, pod, 'run', extended);
  expectTypeOf(config?.gracePeriodMs).toEqualTypeOf<number | undefined>();
  expectTypeOf(config?.refreshFraction).toEqualTypeOf<number | undefined>();
  expect(config).toMatchObject({ gracePeriodMs: 5_000, refreshFraction: 0.5 });
  const given = readConfig({ gracePeriodMs: ['1m'] }, pod, 'run', extended);
  expect(given.config?.gracePeriodMs).toBe(60_000);
  const variable = { ...pod, PGPASSD_GRACE_PERIOD: '2s' };
  expect(readConfig({}, variable, 'run', extended).config?.gracePeriodMs).toBe(2_000);
  expect(readConfig({}, variable, 'run').problems).toMatchObject([{ kind: 'unknown' }]);
});

test('a new setting is one entry: --help and the table of settings show it', () => {
  expect(settingsHelp('run', extended)).toContain(
    [
      '  --grace-period DURATION',
      '      wait this long before the first refresh',
      '      (default: 5s; also from: PGPASSD_GRACE_PERIOD)',
    ].join('\n'),
  );
  expect(settingsHelp('wait', extended)).not.toContain('--grace-period');
  expect(settingsTable(extended)).toContain(
    '| `--grace-period DURATION` | `PGPASSD_GRACE_PERIOD` | `5s` | run: wait this long before the first refresh |',
  );
});
