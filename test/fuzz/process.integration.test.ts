import fc from 'fast-check';
import { expect, test } from 'vitest';
import { startPgpassd } from '../support/pgpassd-process.ts';
import { openPod } from './pod.ts';
import { nearly } from './target.ts';
import { commandInputs, commandLineOf, judge } from './targets/commands.ts';
import { openTokenEndpoint } from './token-endpoint.ts';

/** Each is a whole start of the program. */
const RUNS = 20;

/** After these there is nothing new to see. */
const LAST_EVENTS = new Set(['token.refreshed', 'refresh.failed']);

test(`${RUNS} real processes under any settings show no defect`, async () => {
  const pod = openPod();
  const endpoint = await openTokenEndpoint();
  const expand = (text: string) =>
    text.replaceAll('{root}', pod.root).replaceAll('{endpoint}', endpoint.url);
  const start = async (input: Parameters<typeof commandLineOf>[0]) => {
    endpoint.reply = input.reply;
    const { args, env, passfile } = commandLineOf(input, expand);
    const under = ['sh', '-c', 'cd "$0" && exec "$@"', pod.cwd];
    const ours = {
      PGPASSD_TIMEOUT: '1s',
      ...env,
      PATH: process.env['PATH'],
      // Node prints it by itself, before anything of ours runs.
      NODE_EXTRA_CA_CERTS: undefined,
    };
    const pgpassd = startPgpassd({ args, env: ours, under });
    const isOver = ({ event }: { readonly event: string }) => LAST_EVENTS.has(event);
    await Promise.race([pgpassd.exited, pgpassd.waitFor(isOver).catch(() => {})]);
    pgpassd.signal('SIGTERM');
    const { code } = await pgpassd.exited;
    expect(code, pgpassd.output()).not.toBe(1);
    judge(pgpassd.output(), pod.settle(passfile));
  };
  await fc.assert(fc.asyncProperty(commandInputs(nearly), start), {
    numRuns: RUNS,
    endOnFailure: true,
  });
});
