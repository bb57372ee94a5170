import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import { fingerprint, openWorkload, passfileWith, sentencesOf, type Workload } from './workload.ts';

/** Nothing is unwritable for the superuser. */
const ordinaryUser = process.getuid?.() === 0 ? { uid: 65_534 } : {};

interface Unwritable {
  readonly name: string;
  readonly what: RegExp;
  /** Resolves with the passfile to ask for. */
  readonly arrange: (workload: Workload) => Promise<string>;
  readonly asOrdinaryUser?: true;
}

const unwritables: readonly Unwritable[] = [
  {
    name: 'that does not exist',
    what: /its directory does not exist$/,
    arrange: async ({ directory }) => join(directory, 'missing', 'pgpass'),
  },
  {
    name: 'in whose place a file stands',
    what: /a part of its path is not a directory$/,
    arrange: async ({ directory }) => {
      await writeFile(join(directory, 'file'), '');
      return join(directory, 'file', 'pgpass');
    },
  },
  {
    name: "with a directory in the passfile's place",
    what: /there is a directory in its place$/,
    arrange: async ({ passfile }) => {
      await mkdir(passfile);
      return passfile;
    },
  },
  {
    name: 'that this user may not write to',
    what: /this user may not write to its directory$/,
    arrange: async ({ directory, passfile }) => {
      await chmod(directory, 0o555);
      return passfile;
    },
    asOrdinaryUser: true,
  },
];

describe.concurrent('once ends 6, without a request and without waiting for --timeout,', () => {
  test.for(unwritables)(
    'for a directory $name',
    async ({ what, arrange, asOrdinaryUser }, { expect, onTestFinished }) => {
      const workload = await openWorkload({ onTestFinished });
      const passfile = await arrange(workload);
      const pgpassd = workload.start(['once', '--timeout', '1h'], {
        env: { PGPASSFILE: passfile },
        ...(asOrdinaryUser && ordinaryUser),
      });
      expect(await pgpassd.exited, pgpassd.output()).toEqual({ code: 6, signal: null });
      const sentences = sentencesOf(pgpassd.errors());
      expect(sentences).toHaveLength(2);
      expect(sentences[0]).toContain(passfile);
      expect(sentences[0]).toMatch(what);
      expect(sentences[1]).toMatch(/emptyDir|PGPASSFILE/);
      expect(workload.entra.requests).toEqual([]);
    },
  );

  test('for a directory that cannot be written any more, and leaves the old passfile alone', async ({
    expect,
    onTestFinished,
  }) => {
    const { passfile, directory, start } = await openWorkload({ onTestFinished });
    await writeFile(passfile, passfileWith('hunter2'), { mode: 0o644 });
    await chmod(directory, 0o555);
    const before = await fingerprint(passfile);
    const pgpassd = start(['once'], ordinaryUser);
    expect(await pgpassd.exited, pgpassd.output()).toEqual({ code: 6, signal: null });
    expect(await fingerprint(passfile)).toEqual(before);
  });
});
