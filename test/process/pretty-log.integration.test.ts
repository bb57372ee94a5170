import { expect, test } from 'vitest';
import { aadsts } from '../support/fake-entra/faults.ts';
import { lookUntil } from '../support/look-until.ts';
import { openWorkload } from './workload.ts';

const STAMPED = /^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] (?:INFO|WARN): (.*)$/;

test('lines for people say what happens, when, and what to do, without colours where there is no terminal', async () => {
  const { entra, passfile, start } = await openWorkload();
  const pgpassd = start(['run', '--log-format', 'pretty', '--log-level', 'info']);
  const untilItSays = (words: string) => lookUntil(() => pgpassd.output().includes(words));
  await untilItSays('obtained a token');
  entra.faults.next(aadsts(700213, 401, 'invalid_client', 'No match.'));
  pgpassd.signal('SIGHUP');
  await untilItSays('recovered');
  pgpassd.signal('SIGTERM');
  expect(await pgpassd.exited).toEqual({ code: 0, signal: null });

  const lines = pgpassd.output().trimEnd().split('\n');
  const said = lines.map((line) => STAMPED.exec(line)?.[1] ?? `not stamped: ${line}`);
  const [token, failure] = [/^obtained a token, valid for 60 min /, /^Entra refused the exchange/];
  expect(said[0]).toMatch(new RegExp(`^pgpassd \\S+ keeps ${passfile} current `));
  expect(said.filter((each) => token.test(each))).toHaveLength(2);
  expect(said.filter((each) => failure.test(each))).toEqual([
    expect.stringMatching(
      /AADSTS700213: No match\. If the pod .* set the subject .* The current token is valid for 60 min; next attempt in [\d.]+ s\. \{"reason":"entra\.refused"/,
    ),
  ]);
  expect(said.at(-2)).toMatch(/^recovered after a failed attempt in [\d.]+ s /);
  expect(said.at(-1)).toMatch(/^stopped /);
});
