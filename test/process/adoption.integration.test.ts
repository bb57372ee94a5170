import { chmod, chown, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporarilyUnavailable } from '../support/fake-entra/faults.ts';
import { findLeaks } from '../support/leak-check.ts';
import { unsignedJwt } from '../support-units/unsigned-jwt.ts';
import { portOf, probeUntil } from './probing.ts';
import { leavePassfile, openWorkload, passfileWith, type Workload } from './workload.ts';

const asRoot = process.getuid?.() === 0;

const nowSeconds = () => Math.floor(Date.now() / 1000);
const eventsOf = (lines: readonly { event: string }[]) => lines.map(({ event }) => event);

/** A passfile as pgpassd writes it, with a token that says this of itself. */
async function leaveToken({ passfile }: Workload, claims: object): Promise<string> {
  const token = unsignedJwt({ iat: nowSeconds(), ...claims });
  await writeFile(passfile, passfileWith(token), { mode: 0o600 });
  return token;
}

describe('a token found in place', () => {
  test('that claims fifty years is refreshed at once', async () => {
    const workload = await openWorkload();
    await leaveToken(workload, { exp: nowSeconds() + 50 * 365 * 86_400 });
    const pgpassd = workload.startHere(['run']);
    const adopted = await pgpassd.waitFor('passfile.adopted');
    expect(adopted).toMatchObject({ nextRefreshInSeconds: 0 });
    expect(adopted['tokenValidForSeconds']).toBeLessThanOrEqual(28 * 3600);
    await pgpassd.waitFor('token.refreshed');
    expect(await readFile(workload.passfile, 'utf8')).toBe(passfileWith(workload.entra.issued[0]));
  });

  test('is refreshed at the share of its life that is set', async () => {
    const workload = await openWorkload();
    await leaveToken(workload, { iat: nowSeconds() - 2400, exp: nowSeconds() + 1200 });
    await utimes(workload.passfile, nowSeconds() - 2400, nowSeconds() - 2400);
    const pgpassd = workload.startHere(['run', '--refresh-fraction', '0.9']);
    const { nextRefreshInSeconds } = await pgpassd.waitFor('passfile.adopted');
    // At 81 to 90 % of an hour, of which 40 minutes have passed.
    expect(nextRefreshInSeconds).toBeGreaterThan(0.81 * 3600 - 2400 - 60);
    expect(nextRefreshInSeconds).toBeLessThanOrEqual(0.9 * 3600 - 2400);
  });

  test('and overdue is refreshed in the first half of what is left', async () => {
    const workload = await openWorkload();
    await leavePassfile(workload, { agoSeconds: 3000, lifetimeSeconds: 3600 });
    const pgpassd = workload.startHere(['run']);
    const { nextRefreshInSeconds } = await pgpassd.waitFor('passfile.adopted');
    expect(nextRefreshInSeconds).toBeLessThanOrEqual(300);
  });

  test('is not quoted by what a later failure tells', async () => {
    const workload = await openWorkload();
    const token = await leaveToken(workload, { exp: nowSeconds() + 3600 });
    // A piece from the middle of it, which looks like no JWT.
    const piece = token.slice(60, 100);
    const script = join(workload.directory, 'quoting');
    await writeFile(script, `#!/bin/sh\necho "got ${piece}" >&2\nexit 1\n`);
    await chmod(script, 0o755);
    const env = { AZURE_TENANT_ID: '', AZURE_CLIENT_ID: '', AZURE_FEDERATED_TOKEN_FILE: '' };
    const pgpassd = workload.startHere(['run', '--token-command', script], { env });
    await pgpassd.waitFor('passfile.adopted');
    pgpassd.signal('SIGHUP');
    expect((await pgpassd.waitFor('refresh.failed')).msg).toContain('got [redacted]');
    expect(findLeaks(pgpassd.output(), [token])).toEqual([]);
  });
});

describe('a passfile in place with another mode than it is to have now', () => {
  test('is ready at once', async () => {
    const workload = await openWorkload();
    await leavePassfile(workload, { agoSeconds: 0, lifetimeSeconds: 3600 });
    const pgpassd = workload.startHere(['run', '--mode', '0400']);
    await pgpassd.waitFor('passfile.adopted');
    await probeUntil(await portOf(pgpassd), '/readyz', ({ status }) => status === 200);
    expect((await stat(workload.passfile)).mode & 0o7777).toBe(0o400);
    expect(eventsOf(pgpassd.lines)).not.toContain('token.refreshed');
  });

  test('has that mode when once ends', async () => {
    const workload = await openWorkload();
    await leavePassfile(workload, { agoSeconds: 0, lifetimeSeconds: 3600 });
    const pgpassd = workload.startHere(['once', '--mode', '0400']);
    expect(await pgpassd.exited, pgpassd.output()).toMatchObject({ code: 0 });
    expect((await stat(workload.passfile)).mode & 0o7777).toBe(0o400);
  });
});

describe.runIf(asRoot)('a passfile in place of another owner (as root)', () => {
  test('is ready at once when it is to be given away now', async () => {
    const workload = await openWorkload();
    await leavePassfile(workload, { agoSeconds: 0, lifetimeSeconds: 3600 });
    const pgpassd = workload.startHere(['run', '--owner', '1234:1234']);
    await pgpassd.waitFor('passfile.adopted');
    await probeUntil(await portOf(pgpassd), '/readyz', ({ status }) => status === 200);
    expect(await stat(workload.passfile)).toMatchObject({ uid: 1234, gid: 1234 });
  });

  test('is given away when once ends', async () => {
    const workload = await openWorkload();
    await leavePassfile(workload, { agoSeconds: 0, lifetimeSeconds: 3600 });
    const pgpassd = workload.startHere(['once', '--owner', '1234:1234']);
    expect(await pgpassd.exited, pgpassd.output()).toMatchObject({ code: 0 });
    expect(await stat(workload.passfile)).toMatchObject({ uid: 1234, gid: 1234 });
  });

  test('is taken over when that is the owner it is to have', async () => {
    const workload = await openWorkload();
    await leavePassfile(workload, { agoSeconds: 0, lifetimeSeconds: 3600 });
    await chown(workload.passfile, 1234, 1234);
    const pgpassd = workload.startHere(['run', '--owner', '1234:1234']);
    await pgpassd.waitFor('passfile.adopted');
  });

  test.each<[string, readonly string[]]>([
    ['us', []],
    ['the owner it is to have', ['--owner', '4321:4321']],
  ])('is not taken over when it belongs neither to us nor to %s', async (_whom, args) => {
    const workload = await openWorkload();
    await leavePassfile(workload, { agoSeconds: 0, lifetimeSeconds: 3600 });
    await chown(workload.passfile, 1234, 1234);
    const pgpassd = workload.startHere(['run', ...args]);
    await pgpassd.waitFor('token.refreshed');
    expect(eventsOf(pgpassd.lines)).not.toContain('passfile.adopted');
  });
});

test('a token found in place that begins in an hour is not taken over', async () => {
  const workload = await openWorkload();
  await leaveToken(workload, { nbf: nowSeconds() + 3600, exp: nowSeconds() + 7200 });
  const pgpassd = workload.startHere(['run']);
  await pgpassd.waitFor('token.refreshed');
  expect(eventsOf(pgpassd.lines)).not.toContain('passfile.adopted');
});

describe('a token that another pgpassd puts in place', () => {
  test('is taken over when it lasts longer, and not replaced by one that expired', async () => {
    const workload = await openWorkload({ accessTokenLifetimeSeconds: 6 });
    const run = workload.startHere(['run']);
    await run.waitFor('token.refreshed');
    workload.entra.faults.always(temporarilyUnavailable());
    const port = await portOf(run);
    await probeUntil(port, '/readyz', ({ status }) => status !== 200);
    await leavePassfile(workload, { agoSeconds: 0, lifetimeSeconds: 3600 });
    await run.waitFor('passfile.adopted');
    await probeUntil(port, '/readyz', ({ status }) => status === 200);
    expect(eventsOf(run.lines)).not.toContain('passfile.repaired');
  });

  test('is replaced by ours when it ends sooner', async () => {
    const workload = await openWorkload();
    const run = workload.startHere(['run']);
    await run.waitFor('token.refreshed');
    await leaveToken(workload, { exp: nowSeconds() + 600 });
    await run.waitFor('passfile.repaired');
    expect(await readFile(workload.passfile, 'utf8')).toBe(passfileWith(workload.entra.issued[0]));
  });
});
