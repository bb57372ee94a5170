import { expect, test } from 'vitest';
import { checkSettings } from '../../../src/check/steps/settings.ts';
import type { Environment } from '../../../src/config/option.ts';
import { contextWith } from '../context.ts';

/** What is found when every problem has another text than ours. */
async function foundIn(env: Environment, side: 'daemon' | 'client') {
  const context = contextWith(env);
  const problems = context.reading.problems.map((problem, at) => ({
    ...problem,
    text: `nr. ${at}`,
  }));
  const reading = { ...context.reading, problems };
  const findings = await checkSettings({ ...context, reading }, side);
  const namesOf = (text: string) => text.replace(/^nr\. (\d+)$/, (_, at) => kindOf(Number(at)));
  const kindOf = (at: number) => `${problems[at]?.kind} ${problems[at]?.option}`;
  return findings.map(({ found }) => namesOf(found));
}

const pod: Environment = { PGPASSFILE: '/pgpass/pgpass', PGPASSD_ENTRIES: 'db:5432:*:my-app' };

test('what the webhook would set is left to one finding, by its name and not by a sentence', async () => {
  expect(await foundIn({ ...pod, PGPASSD_MODE: '0640' }, 'daemon')).toEqual([
    expect.stringContaining('webhook has not changed this container'),
    'invalid mode',
  ]);
});

test('what is missing is not reported beside an application, what is wrong is', async () => {
  expect(await foundIn({ PGPASSD_MODE: '0640' }, 'client')).toEqual(['invalid mode']);
});

test('what is missing is reported to the daemon', async () => {
  const env = { ...pod, PGPASSFILE: '', AZURE_CLIENT_ID: 'client' };
  expect(await foundIn(env, 'daemon')).toEqual([
    'missing passfile',
    'missing tenantId',
    'missing federatedTokenFile',
  ]);
});
