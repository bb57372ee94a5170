import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import { lookUntil } from '../support/look-until.ts';
import { leavePassfile, openWorkload } from './workload.ts';

const exists = (path: string) => stat(path).then(Boolean, () => false);

/** So that what follows in `pgpassd once && psql` does not. */
describe.concurrent('a signal ends once when there is no token yet', () => {
  test.for([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('between two tries, %s with %i', async ([name, code], { expect, onTestFinished }) => {
    const { passfile, start } = await openWorkload({ onTestFinished, federatedToken: null });
    const pgpassd = start(['once']);
    await pgpassd.waitFor('refresh.failed');
    pgpassd.signal(name);
    expect(await pgpassd.exited).toEqual({ code, signal: null });
    expect(pgpassd.errors()).toBe('');
    expect(await exists(passfile)).toBe(false);
  });

  test('in the middle of an exchange that hangs', async ({ expect, onTestFinished }) => {
    const { entra, start } = await openWorkload({ onTestFinished });
    entra.faults.always({ kind: 'hang' });
    const asked = entra.nextRequest();
    const pgpassd = start(['once']);
    await asked;
    pgpassd.signal('SIGTERM');
    expect(await pgpassd.exited).toEqual({ code: 143, signal: null });
  });

  test('while a token command runs', async ({ expect, onTestFinished }) => {
    const { directory, start } = await openWorkload({ onTestFinished });
    const begun = join(directory, 'begun');
    const command = `sh -c "touch ${begun}; exec sleep 600"`;
    const pgpassd = start(['once', '--token-command', command]);
    await lookUntil(() => exists(begun));
    pgpassd.signal('SIGTERM');
    expect(await pgpassd.exited).toEqual({ code: 143, signal: null });
  });

  test('when the one in place does not last for --min-validity', async ({
    expect,
    onTestFinished,
  }) => {
    const workload = await openWorkload({ onTestFinished });
    await leavePassfile(workload, { agoSeconds: 600, lifetimeSeconds: 3600 });
    workload.entra.faults.always({ kind: 'hang' });
    const asked = workload.entra.nextRequest();
    const pgpassd = workload.startHere(['once', '--min-validity', '55m']);
    await asked;
    pgpassd.signal('SIGTERM');
    expect(await pgpassd.exited).toEqual({ code: 143, signal: null });
  });
});

describe.concurrent('a program that follows in a shell', () => {
  test.for(['once', 'wait'])(
    'does not after %s was stopped',
    async (command, { expect, onTestFinished }) => {
      const { entra, passfile, start } = await openWorkload({ onTestFinished });
      entra.faults.always({ kind: 'hang' });
      const script = '"$0" "$@" && echo followed; echo "code $?"';
      const pgpassd = start([command], { under: ['sh', '-c', script] });
      const children = `/proc/${pgpassd.pid}/task/${pgpassd.pid}/children`;
      const waiting = () => pgpassd.errors().includes('waiting') || entra.requests.length > 0;
      await lookUntil(waiting);
      process.kill(Number(await readFile(children, 'utf8')), 'SIGTERM');
      await pgpassd.exited;
      expect(pgpassd.output()).toContain('code 143\n');
      expect(pgpassd.output()).not.toContain('followed');
      expect(await exists(passfile)).toBe(false);
    },
  );
});

describe.concurrent('the program that wait becomes', () => {
  test.for(['SIGUSR1', 'SIGHUP', 'SIGTERM', 'SIGPIPE'] as const)(
    'has no handler of ours for %s',
    async (name, { expect, onTestFinished }) => {
      const { passfile, start } = await openWorkload({ onTestFinished });
      await writeFile(passfile, 'server:5432:*:app:x\n', { mode: 0o600 });
      const env = { PGPASSD_ENTRIES: '' };
      const pgpassd = start(['wait', '--', 'sleep', '600'], { env });
      const becomes = async () =>
        (await readFile(`/proc/${pgpassd.pid}/cmdline`, 'utf8')).startsWith('sleep');
      await lookUntil(becomes);
      pgpassd.signal(name);
      expect(await pgpassd.exited).toEqual({ code: null, signal: name });
      expect(pgpassd.errors()).toBe('');
    },
  );
});
