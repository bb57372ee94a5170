import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import { unsignedJwt } from '../support-units/unsigned-jwt.ts';
import {
  fingerprint,
  leavePassfile,
  namesIn,
  openWorkload,
  passfileWith,
  sentencesOf,
} from './workload.ts';

const done = { code: 0, signal: null };

describe.concurrent('once', () => {
  test('ends with one line an entry in the passfile, in order, for its owner alone', async ({
    expect,
    onTestFinished,
  }) => {
    const { entra, passfile, directory, start } = await openWorkload({ onTestFinished });
    const pgpassd = start(['once']);
    expect(await pgpassd.exited, pgpassd.output()).toEqual(done);
    expect(entra.requests).toHaveLength(1);
    expect(await readFile(passfile, 'utf8')).toBe(passfileWith(entra.issued[0]));
    expect((await stat(passfile)).mode & 0o7777).toBe(0o600);
    expect(await namesIn(directory)).toEqual(['pgpass']);
    expect(pgpassd.errors()).toBe('');
  });

  test('gives the passfile the mode asked for', async ({ expect, onTestFinished }) => {
    const { passfile, startHere } = await openWorkload({ onTestFinished });
    expect(await startHere(['once', '--mode', '0400']).exited).toEqual(done);
    expect((await stat(passfile)).mode & 0o7777).toBe(0o400);
  });

  test('tells what it did, one JSON object a line', async ({ expect, onTestFinished }) => {
    const { start } = await openWorkload({ onTestFinished });
    const pgpassd = start(['once']);
    expect(await pgpassd.exited).toEqual(done);
    const printed = pgpassd.output().trimEnd().split('\n');
    expect(printed.map((line) => JSON.parse(line))).toEqual(pgpassd.lines);
    const events = pgpassd.lines.map(({ event }) => event);
    expect(events.filter((event) => !event.startsWith('federated-token.'))).toEqual([
      'refresh.started',
      'exchange.ended',
      'passfile.written',
      'token.refreshed',
    ]);
  });

  test.for(['flat', 'nested', 'plain'] as const)(
    'reads the token of a %s volume',
    async (layout, { expect, onTestFinished }) => {
      const { startHere } = await openWorkload({ onTestFinished, layout });
      expect(await startHere(['once']).exited).toEqual(done);
    },
  );

  test('gets there with a federated token that comes late', async ({ expect, onTestFinished }) => {
    const { entra, volume, passfile, startHere } = await openWorkload({
      onTestFinished,
      federatedToken: null,
    });
    const pgpassd = startHere(['once']);
    expect(await pgpassd.waitFor('refresh.failed')).toMatchObject({
      reason: 'federated-token.missing',
    });
    await volume.write(await entra.cluster.issueServiceAccountToken());
    expect(await pgpassd.exited, pgpassd.output()).toEqual(done);
    expect(await readFile(passfile, 'utf8')).toBe(passfileWith(entra.issued[0]));
    expect(entra.requests).toHaveLength(1);
  });

  test('gets there when a refusal passes', async ({ expect, onTestFinished }) => {
    const { entra, volume, startHere } = await openWorkload({
      onTestFinished,
      federatedToken: null,
    });
    await volume.write(await entra.cluster.issueServiceAccountToken({ audience: 'vault' }));
    const pgpassd = startHere(['once']);
    expect(await pgpassd.waitFor('refresh.failed')).toMatchObject({ aadsts: 'AADSTS700212' });
    await volume.write(await entra.cluster.issueServiceAccountToken());
    expect(await pgpassd.exited, pgpassd.output()).toEqual(done);
    expect(pgpassd.errors()).toBe('');
  });
});

describe.concurrent('once, with a passfile in place', () => {
  test('asks for nothing when its token is good for --min-validity', async ({
    expect,
    onTestFinished,
  }) => {
    const workload = await openWorkload({ onTestFinished });
    const { entra, passfile, startHere } = workload;
    await leavePassfile(workload, { agoSeconds: 1200, lifetimeSeconds: 3600 });
    const before = await fingerprint(passfile);
    const pgpassd = startHere(['once', '--min-validity', '39m']);
    expect(await pgpassd.exited, pgpassd.output()).toEqual(done);
    expect(entra.requests).toEqual([]);
    expect(await fingerprint(passfile)).toEqual(before);
  });

  test('makes an exchange when less than --min-validity is left', async ({
    expect,
    onTestFinished,
  }) => {
    const workload = await openWorkload({ onTestFinished });
    const { entra, passfile, startHere } = workload;
    await leavePassfile(workload, { agoSeconds: 3000, lifetimeSeconds: 3600 });
    const pgpassd = startHere(['once', '--min-validity', '11m']);
    expect(await pgpassd.exited, pgpassd.output()).toEqual(done);
    expect(await readFile(passfile, 'utf8')).toBe(passfileWith(entra.issued[0]));
  });

  test('needs neither the federated token nor Entra when its token is good', async ({
    expect,
    onTestFinished,
  }) => {
    const workload = await openWorkload({ onTestFinished, federatedToken: null });
    const { entra, startHere } = workload;
    await leavePassfile(workload, { agoSeconds: 0, lifetimeSeconds: 3600 });
    await entra.close();
    expect(await startHere(['once']).exited).toEqual(done);
  });

  test('asks for another token when the one in place does not last for --min-validity', async ({
    expect,
    onTestFinished,
  }) => {
    const workload = await openWorkload({ onTestFinished });
    await leavePassfile(workload, { agoSeconds: 600, lifetimeSeconds: 3600 });
    const pgpassd = workload.startHere(['once', '--min-validity', '55m']);
    expect(await pgpassd.exited, pgpassd.output()).toEqual(done);
    expect(workload.entra.requests).toHaveLength(1);
  });

  test.for([
    ['bare', (token: string) => token],
    ['in JSON, with a longer life', (token: string) => `{"token":"${token}","expires_in":7200}`],
  ] as const)(
    'says which setting is not met when a token command gives the token in place again, %s',
    async ([, asPrinted], { expect, onTestFinished }) => {
      const { directory, startHere } = await openWorkload({ onTestFinished });
      const file = join(directory, 'token');
      const iat = Math.floor(Date.now() / 1000);
      const token = unsignedJwt({ iat, exp: iat + 600 });
      await writeFile(file, token);
      const args = ['once', '--token-command', `cat ${file}`];
      expect(await startHere(args).exited).toEqual(done);
      await writeFile(file, asPrinted(token));
      const pgpassd = startHere([...args, '--min-validity', '30m', '--timeout', '5s']);
      expect(await pgpassd.exited, pgpassd.output()).toEqual({ code: 5, signal: null });
      const [what, remedy] = sentencesOf(pgpassd.errors());
      expect(what).toMatch(
        /^the command of --token-command returned no newer token than the current one, which is valid for \d+ min; --min-validity requires 30 min$/,
      );
      expect(remedy).toMatch(/--timeout.*--min-validity/);
    },
  );

  test('leaves the passfile to its clients, whatever the daemon does at its end', async ({
    expect,
    onTestFinished,
  }) => {
    const { entra, passfile, startHere } = await openWorkload({ onTestFinished });
    expect(await startHere(['once', '--on-exit', 'remove']).exited).toEqual(done);
    expect(await readFile(passfile, 'utf8')).toBe(passfileWith(entra.issued[0]));
  });

  test('does not take over the token of another identity', async ({ expect, onTestFinished }) => {
    const workload = await openWorkload({
      onTestFinished,
      identity: { clientId: '0f5e3b1a-8c2d-4e7f-9a6b-1c2d3e4f5a6b' },
    });
    await leavePassfile(workload, { agoSeconds: 0, lifetimeSeconds: 3600 });
    expect(await workload.startHere(['once']).exited).toEqual(done);
    expect(workload.entra.requests).toHaveLength(1);
  });
});
