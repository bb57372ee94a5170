import { afterAll, beforeAll, describe, test } from 'vitest';
import { type Azure, startAzure } from '../postgres/azure.ts';
import { fingerprint } from '../process/workload.ts';
import type { TokenBody } from '../support/fake-entra/answers.ts';
import { psql } from '../support/postgres/clients.ts';
import { startTimeoutMs } from '../support/postgres/server.ts';
import { expectUnharmed, noPsql, openPod } from './pod.ts';

let azure: Azure;

beforeAll(async () => {
  azure = await startAzure({});
}, startTimeoutMs);
afterAll(() => azure.close());

interface Lie {
  readonly name: string;
  readonly change: (body: TokenBody) => object;
  readonly what: RegExp;
}

const withToken = (name: string, spoil: (token: string) => unknown): Lie => ({
  name,
  change: (body) => ({ ...body, access_token: spoil(body.access_token) }),
  what: /access_token is not printable ASCII without blanks/,
});

const withLifetime = (name: string, expires_in: unknown): Lie => ({
  name,
  change: (body) => ({ ...body, expires_in }),
  what: /expires_in is not a believable number of seconds/,
});

const tokens: readonly Lie[] = [
  withToken('a line of its own behind the token', (token) => `${token}\n*:*:*:*:hunter2`),
  withToken('a line break at the end of the token', (token) => `${token}\n`),
  withToken('a carriage return in the token', (token) => `${token}\r`),
  withToken('a control character in the token', (token) => `\u0000${token}`),
  withToken('a blank in the token', (token) => token.replace('.', ' ')),
  withToken('an empty token', () => ''),
  withToken('a list of tokens', (token) => [token]),
];

const lifetimes: readonly Lie[] = [
  withLifetime('a life of 30,000 years', 1e12),
  withLifetime('a negative life', -3600),
  withLifetime('no life', 0),
  withLifetime('a life in words', 'an hour'),
  withLifetime('a life without an end', null),
];

describe
  .skipIf(noPsql)
  .concurrent('an answer is refused and the passfile left alone (psql must be installed)', () => {
    test.for([
      ['a token that is none', tokens],
      ['a life that is none', lifetimes],
    ] as const)('for %s', async ([, lies], context) => {
      const { expect } = context;
      const pod = await openPod(azure, context);
      const pgpassd = pod.run();
      await pgpassd.waitFor('token.refreshed');
      for (const { name, change, what } of lies) {
        const before = await fingerprint(pod.passfile);

        pod.entra.faults.always({ kind: 'mutate', change });
        pgpassd.signal('SIGHUP');
        const failed = await pgpassd.waitFor(
          ({ event, failures }) => event === 'refresh.failed' && failures === 1,
        );
        expect(failed, name).toMatchObject({
          level: 'warn',
          reason: 'entra.bad-answer',
          msg: expect.stringMatching(what),
        });
        expect(await fingerprint(pod.passfile), name).toEqual(before);
        expect(await psql(pod.client), name).toMatchObject({ code: 0 });

        pod.entra.faults.always(undefined);
        await pgpassd.waitFor('refresh.recovered');
        await pod.expectNewestToken();
      }
      expect(await psql(pod.client)).toMatchObject({ code: 0 });
      await expectUnharmed(pod, pgpassd, context);
    });
  });
