import { chmod, readFile, rename, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import { startFakeEntra } from '../support/fake-entra/server.ts';
import type { LogLine, Pgpassd } from '../support/pgpassd-process.ts';
import {
  fingerprint,
  leavePassfile,
  namesIn,
  openWorkload,
  passfileWith,
  startedFor,
  type Workload,
} from './workload.ts';

const eventsOf = ({ lines }: Pick<Pgpassd, 'lines'>) => lines.map(({ event }) => event);

const secondsBetween = (one: LogLine, other: LogLine) =>
  (Date.parse(other.time) - Date.parse(one.time)) / 1000;

describe.concurrent('a restart while Entra is down', () => {
  test('serves from the passfile in place until refresh is due, warns, and recovers', async ({
    expect,
    onTestFinished,
  }) => {
    const workload = await openWorkload({ onTestFinished });
    const { entra, passfile, start } = workload;
    await leavePassfile(workload, { agoSeconds: 0, lifetimeSeconds: 240 });
    const before = await fingerprint(passfile);
    await entra.close();

    const pgpassd = start(['run', '--refresh-fraction', '0.05']);
    const adopted = await pgpassd.waitFor('passfile.adopted');
    const asked = await pgpassd.waitFor(startedFor());
    expect(eventsOf(pgpassd).filter((event) => event !== 'federated-token.found')).toEqual([
      'started',
      'passfile.adopted',
      'refresh.started',
    ]);
    expect(asked['cause']).toBe('due');
    // The log rounds to a tenth.
    const dueSeconds = Number(adopted['nextRefreshInSeconds']);
    expect(secondsBetween(adopted, asked)).toBeGreaterThan(dueSeconds - 0.1);
    expect(dueSeconds).toBeGreaterThan(0);

    const failed = await pgpassd.waitFor('refresh.failed');
    expect(failed).toMatchObject({ level: 'warn', reason: 'entra.unreachable' });
    expect(failed['tokenValidForSeconds']).toBeGreaterThan(0);
    expect(await fingerprint(passfile)).toEqual(before);

    const recovered = await startFakeEntra({ port: entra.port });
    try {
      await pgpassd.waitFor('refresh.recovered');
      expect(await readFile(passfile, 'utf8')).toBe(passfileWith(recovered.issued[0]));
      expect(recovered.requests).toHaveLength(1);
    } finally {
      await recovered.close();
    }
  });

  test('keeps a token with less than half of its life left in service', async ({
    expect,
    onTestFinished,
  }) => {
    const workload = await openWorkload({ onTestFinished });
    const { entra, passfile, startHere } = workload;
    await leavePassfile(workload, { agoSeconds: 2000, lifetimeSeconds: 3600 });
    const before = await fingerprint(passfile);
    await entra.close();

    const pgpassd = startHere(['run']);
    const { nextRefreshInSeconds } = await pgpassd.waitFor('passfile.adopted');
    expect(nextRefreshInSeconds).toBeLessThanOrEqual(1600 / 2);
    pgpassd.signal('SIGHUP');
    expect(await pgpassd.waitFor('refresh.failed')).toMatchObject({ level: 'warn' });
    expect(await fingerprint(passfile)).toEqual(before);
  });

  test('is an error when there is not much left of the token', async ({
    expect,
    onTestFinished,
  }) => {
    const workload = await openWorkload({ onTestFinished });
    await leavePassfile(workload, { agoSeconds: 3000, lifetimeSeconds: 3600 });
    await workload.entra.close();
    const pgpassd = workload.startHere(['run']);
    await pgpassd.waitFor('passfile.adopted');
    pgpassd.signal('SIGHUP');
    expect(await pgpassd.waitFor('refresh.failed')).toMatchObject({ level: 'error' });
  });
});

describe.concurrent('a restart with Entra there', () => {
  test('fetches a token in the first half of what is left, the old one in service meanwhile', async ({
    expect,
    onTestFinished,
  }) => {
    const workload = await openWorkload({ onTestFinished });
    const { entra, passfile, startHere } = workload;
    await leavePassfile(workload, { agoSeconds: 3570, lifetimeSeconds: 3600 });
    const before = await fingerprint(passfile);
    let meanwhile: object = {};
    const until = async () => {
      meanwhile = await fingerprint(passfile);
    };
    entra.faults.next({ kind: 'hold', until });
    const pgpassd = startHere(['run']);
    await pgpassd.waitFor('passfile.adopted');
    await pgpassd.waitFor('token.refreshed');
    expect(meanwhile).toEqual(before);
    expect(await readFile(passfile, 'utf8')).toBe(passfileWith(entra.issued[0]));
  });

  test('makes no exchange when the token in place is good, but has the next on time', async ({
    expect,
    onTestFinished,
  }) => {
    const workload = await openWorkload({ onTestFinished });
    await leavePassfile(workload, { agoSeconds: 600, lifetimeSeconds: 3600 });
    const pgpassd = workload.startHere(['run']);
    const adopted = await pgpassd.waitFor('passfile.adopted');
    // Half of an hour, up to a tenth earlier, ten minutes of which are gone.
    expect(adopted['nextRefreshInSeconds']).toBeGreaterThan(1620 - 600 - 60);
    expect(adopted['nextRefreshInSeconds']).toBeLessThanOrEqual(1800 - 600);
    pgpassd.signal('SIGHUP');
    await pgpassd.waitFor('token.refreshed');
    expect(pgpassd.lines.filter(startedFor())).toMatchObject([{ cause: 'request' }]);
  });
});

interface Foreign {
  readonly name: string;
  readonly change: (workload: Workload, content: string) => Promise<void>;
}

const lineBy = (content: string, change: (line: string) => string) =>
  content.replaceAll(/.+/g, (line) => change(line));

const foreign: readonly Foreign[] = [
  {
    name: 'a token for another user as well',
    change: ({ passfile }, content) =>
      writeFile(passfile, `${content}localhost:*:*:me:${content.trim().split(':').at(-1)}\n`),
  },
  {
    name: 'a line less',
    change: ({ passfile }, content) => writeFile(passfile, `${content.split('\n')[0]}\n`),
  },
  {
    name: 'the lines in another order',
    change: ({ passfile }, content) => {
      const [first, second] = content.split('\n');
      return writeFile(passfile, `${second}\n${first}\n`);
    },
  },
  {
    name: 'bits for the group',
    change: ({ passfile }) => chmod(passfile, 0o640),
  },
  {
    name: 'a password',
    change: ({ passfile }, content) =>
      writeFile(
        passfile,
        lineBy(content, (line) => line.replace(/[^:]+$/, 'hunter2')),
      ),
  },
  {
    name: 'a token that does not tell its life',
    change: ({ passfile }, content) =>
      writeFile(
        passfile,
        lineBy(content, (line) => line.replace(/\.[\w-]+\./, '.e30.')),
      ),
  },
  {
    name: 'a link to the real file',
    change: async ({ passfile, directory }) => {
      await rename(passfile, join(directory, 'real'));
      await symlink('real', passfile);
    },
  },
];

describe.concurrent('a passfile that is not as we would write it', () => {
  test.for(foreign)(
    'because of $name is not adopted but replaced',
    async ({ change }, { expect, onTestFinished }) => {
      const workload = await openWorkload({ onTestFinished });
      const { entra, passfile, startHere } = workload;
      const content = await leavePassfile(workload, { agoSeconds: 0, lifetimeSeconds: 3600 });
      await change(workload, content);

      const pgpassd = startHere(['run']);
      await pgpassd.waitFor('token.refreshed');
      expect(eventsOf(pgpassd)).not.toContain('passfile.adopted');
      expect(await readFile(passfile, 'utf8')).toBe(passfileWith(entra.issued[0]));
      expect((await stat(passfile)).mode & 0o7777).toBe(0o600);
    },
  );

  test('because its token expired is replaced', async ({ expect, onTestFinished }) => {
    const workload = await openWorkload({ onTestFinished });
    const { entra, passfile, startHere } = workload;
    await leavePassfile(workload, { agoSeconds: 3601, lifetimeSeconds: 3600 });
    const pgpassd = startHere(['run']);
    await pgpassd.waitFor('token.refreshed');
    expect(eventsOf(pgpassd)).not.toContain('passfile.adopted');
    expect(await readFile(passfile, 'utf8')).toBe(passfileWith(entra.issued[0]));
  });
});

describe.concurrent('leftovers of an interrupted write', () => {
  test('are swept at start, and nothing else is', async ({ expect, onTestFinished }) => {
    const { directory, startHere } = await openWorkload({ onTestFinished });
    const others = ['.other.pgpassd-0123456789abcdef', 'pgpass.bak', '.pgpass.pgpassd-fe'];
    const leftover = '.pgpass.pgpassd-0123456789abcdef';
    for (const name of [leftover, `${leftover}.4711`, ...others]) {
      await writeFile(join(directory, name), 'legacy-app:hunter2');
      await utimes(join(directory, name), 1, 1);
    }
    const pgpassd = startHere(['run']);
    expect(await pgpassd.waitFor('passfile.swept')).toMatchObject({ files: 2 });
    await pgpassd.waitFor('token.refreshed');
    expect((await namesIn(directory)).sort()).toEqual([...others, 'pgpass'].sort());
  });
});
