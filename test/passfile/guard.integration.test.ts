import { chown, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createGuard } from '../../src/passfile/guard.ts';
import { entriesLayout } from '../../src/passfile/layout.ts';
import { createPassfile, type Passfile, type Repair } from '../../src/passfile/passfile.ts';
import type { PassfileTarget } from '../../src/passfile/publish.ts';
import type { PgpassdError } from '../../src/support/errors.ts';
import { Secret } from '../../src/support/secret.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { damages, elsewhere, isRight } from './damages.ts';

const asRoot = process.getuid?.() === 0;
const POLL_MS = 30_000;
const entry = { host: 'server', port: '5432', database: null, user: 'app' };
const content = 'server:5432:*:app:a-token\n';

/** A passfile with a token that states its life, as an earlier run leaves it. */
const claims = Buffer.from('{"iat":1764000000,"exp":1764003600}').toString('base64url');
const left = `server:5432:*:app:e30.${claims}.c2ln\n`;

let directory: string;
let path: string;
let passfile: Passfile;

const open = (owner?: PassfileTarget['owner']) =>
  createPassfile(
    { path, mode: 0o600, owner },
    () => entriesLayout([entry]),
    () => true,
  );

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pgpassd-guard-'));
  path = join(directory, 'pgpass');
  passfile = open();
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await setImmediate();
}

/** A guard that only polls, in simulated time. */
function startGuard() {
  const clock = new FakeClock();
  const stop = new AbortController();
  const repaired: Repair[] = [];
  const contested: number[] = [];
  const failed: PgpassdError[] = [];
  let checks = 0;
  const guard = createGuard({
    path,
    clock,
    pollIntervalMs: POLL_MS,
    watching: false,
    passfile: {
      repair: async () => {
        const repair = await passfile.repair().finally(() => {
          checks += 1;
        });
        return repair;
      },
    },
    onSuperseded: () => undefined,
    onRepaired: (repair) => repaired.push(repair),
    onContested: (repairs) => contested.push(repairs),
    onRepairFailed: (error) => failed.push(error),
    onWatchFailed: () => undefined,
  });
  const running = guard.run(stop.signal);
  return {
    clock,
    guard,
    repaired,
    contested,
    failed,
    checks: () => checks,
    /** Time passes until the next poll, and its check ends. */
    async poll() {
      const before = checks;
      await clock.sleeping();
      await clock.advance(POLL_MS);
      await until(() => checks > before);
      await clock.sleeping();
    },
    async stop() {
      stop.abort();
      await running;
    },
  };
}

describe('by polling alone', () => {
  describe.each(damages)('a passfile that was $how', (each) => {
    test.skipIf(each.asRoot && !asRoot)('is right again after a poll', async () => {
      await passfile.publish(new Secret('a-token'));
      const { poll, stop, repaired } = startGuard();
      await poll();
      expect(repaired).toEqual([]);
      await each.inflict(path);
      await poll();
      expect(await isRight(path, content)).toBe(true);
      expect(repaired).toMatchObject([{ damage: each.damage }]);
      await poll();
      expect(repaired).toHaveLength(1);
      await stop();
    });
  });
});

describe('repairing', () => {
  test('leaves the target of a link alone', async () => {
    await passfile.publish(new Secret('a-token'));
    await damages.find(({ how }) => how.includes('link'))?.inflict(path);
    await passfile.repair();
    expect(await readFile(elsewhere(path), 'utf8')).toBe('untouched');
  });

  test('moves a directory with something in it aside, and says where to', async () => {
    await passfile.publish(new Secret('a-token'));
    await damages.find(({ how }) => how.includes('something in it'))?.inflict(path);
    const repair = await passfile.repair();
    const displacedTo = (repair && 'displacedTo' in repair && repair.displacedTo) || '';
    expect(displacedTo).toMatch(/\/pgpass\.displaced-[\da-f]{8}$/);
    expect(await readFile(join(displacedTo, 'kept'), 'utf8')).toBe('kept');
    expect(await isRight(path, content)).toBe(true);
  });

  test('restores only what was published: before that, and after its removal, there is nothing to do', async () => {
    await writeFile(path, "another program's");
    expect(await passfile.repair()).toBeUndefined();
    await rm(path);
    await passfile.publish(new Secret('a-token'));
    await passfile.remove();
    expect(await passfile.repair()).toBeUndefined();
    expect(await readdir(directory)).toEqual([]);
  });

  test('never puts an older token over a newer one', async () => {
    for (let round = 0; round < 20; round += 1) {
      await passfile.publish(new Secret('older'));
      await rm(path);
      await Promise.all([
        passfile.repair(),
        passfile.publish(new Secret(`newer-${round}`)),
        passfile.repair(),
      ]);
      expect(await readFile(path, 'utf8')).toContain(`newer-${round}`);
    }
  });

  test.skipIf(!asRoot)(
    'restores the owner of a passfile that was given away and then published again unchanged (as root)',
    async () => {
      await passfile.publish(new Secret('a-token'));
      await chown(path, 4321, 4321);
      expect(await passfile.publish(new Secret('a-token'))).toBe('unchanged');
      expect(await passfile.repair()).toEqual({ damage: 'owner' });
      expect(await isRight(path, content)).toBe(true);
    },
  );

  test.skipIf(!asRoot)(
    'is not needed when a passfile was taken over and adoption has set its new owner (as root)',
    async () => {
      await writeFile(path, left, { mode: 0o600 });
      const owner = { uid: 4321, gid: 4321 };
      const given = open(owner);
      expect(await given.adopt()).toMatchObject({ rewritten: true });
      expect(await given.repair()).toBeUndefined();
      expect(await stat(path)).toMatchObject(owner);
      expect(await readFile(path, 'utf8')).toBe(left);
    },
  );

  test('restores a passfile that was taken over', async () => {
    await writeFile(path, left, { mode: 0o600 });
    expect(await passfile.adopt()).toBeDefined();
    await rm(path);
    expect(await passfile.repair()).toEqual({ damage: 'missing' });
    expect(await isRight(path, left)).toBe(true);
  });
});

test('a directory that vanishes and returns gets its passfile back, and the failure is reported once', async () => {
  await passfile.publish(new Secret('a-token'));
  const { poll, stop, failed } = startGuard();
  await rm(directory, { recursive: true });
  await poll();
  await poll();
  await mkdir(directory);
  await poll();
  expect(await isRight(path, content)).toBe(true);
  expect(failed.map(({ code }) => code)).toEqual(['passfile.unwritable']);
  await rm(directory, { recursive: true });
  await poll();
  expect(failed).toHaveLength(2);
  await stop();
});

test('contested repairs are reported once and slowed down to one every ten seconds', async () => {
  await passfile.publish(new Secret('a-token'));
  const { clock, guard, repaired, contested, stop } = startGuard();
  await clock.sleeping();
  for (let damage = 1; damage <= 6; damage += 1) {
    await rm(path);
    guard.checkNow();
    await until(() => repaired.length === damage);
    await clock.sleeping();
  }
  expect(contested).toEqual([6]);

  await rm(path);
  guard.checkNow();
  await clock.advance(9_999);
  expect(repaired).toHaveLength(6);
  await clock.advance(1);
  await until(() => repaired.length === 7);
  expect(await isRight(path, content)).toBe(true);
  expect(contested).toHaveLength(1);
  await stop();
});
