import { execFile } from 'node:child_process';
import { link, mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, test } from 'vitest';
import { PLACEHOLDER } from '../../src/passfile/format.ts';
import { commandHere } from '../support/command-here.ts';
import {
  fingerprint,
  namesIn,
  openWorkload,
  passfileWith,
  sentencesOf,
  type Workload,
} from './workload.ts';

const FOREIGN = 'prod.example.com:5432:*:boss:hunter2secret\n';
const template = `# all of it\nother:*:*:me:static\nh:5432:*:me:${PLACEHOLDER}\n`;
const withoutEntries = { PGPASSD_ENTRIES: undefined };

describe.concurrent.each(['run', 'once'] as const)('%s', (command) => {
  test('does not touch a passfile of another writer, asks for no token, and ends with 2', async ({
    expect,
    onTestFinished,
  }) => {
    const workload = await openWorkload({ onTestFinished });
    const { passfile, directory, entra, start } = workload;
    const content = `${passfileWith('hunter2secret')}\n${FOREIGN}`;
    await writeFile(passfile, content, { mode: 0o640 });
    const before = await fingerprint(passfile);
    const pgpassd = start([command]);
    expect(await pgpassd.exited, pgpassd.output()).toEqual({ code: 2, signal: null });
    const [what, remedy, ...others] = sentencesOf(pgpassd.errors());
    expect(what).toContain(passfile);
    expect(what).toContain(': line 4 is for none of the entries and holds no token');
    expect(remedy).toMatch(/--passfile \(PGPASSFILE\).*--template/);
    expect(others).toEqual([]);
    expect(pgpassd.output()).not.toMatch(/hunter2|boss|prod\.example/);
    expect(await fingerprint(passfile)).toEqual(before);
    expect(await namesIn(directory)).toEqual(['pgpass']);
    expect(entra.requests).toEqual([]);
  });

  test('keeps it once beside the new one where a template says what the file is to be', async ({
    expect,
    onTestFinished,
  }) => {
    const { passfile, directory, entra, startHere } = await openWorkload({ onTestFinished });
    const path = join(directory, 'template');
    await writeFile(path, template);
    await writeFile(passfile, FOREIGN, { mode: 0o644 });
    const before = await fingerprint(passfile);
    const pgpassd = startHere([command, '--template', path], { env: withoutEntries });
    const kept = await pgpassd.waitFor('passfile.kept');
    expect(kept).toMatchObject({ level: 'warn', keptAs: `${passfile}.before-pgpassd` });
    await pgpassd.waitFor('token.refreshed');
    const [token = ''] = entra.issued;
    expect(await readFile(passfile, 'utf8')).toBe(template.replace(PLACEHOLDER, token));
    expect(await fingerprint(`${passfile}.before-pgpassd`)).toEqual(before);
    expect(pgpassd.output()).not.toContain('hunter2');
  });

  interface Mistaken {
    readonly name: string;
    readonly what: RegExp;
    readonly args?: (workload: Workload) => readonly string[];
    readonly env?: (workload: Workload) => Record<string, string | undefined>;
    readonly arrange?: (workload: Workload) => Promise<unknown>;
  }

  const ownTemplate = ({ directory }: Workload) => join(directory, 'template');
  const withTemplate = (workload: Workload) => ['--template', ownTemplate(workload)];

  const mistaken: readonly Mistaken[] = [
    {
      name: 'the template and the passfile being one file',
      what: /--template and --passfile \(PGPASSFILE\) name the same file/,
      args: ({ passfile }) => ['--template', passfile],
      env: () => withoutEntries,
      arrange: ({ passfile }) => writeFile(passfile, template),
    },
    {
      name: 'the passfile being a link to the template',
      what: /--template and --passfile \(PGPASSFILE\) name the same file/,
      args: withTemplate,
      env: () => withoutEntries,
      arrange: async (workload) => {
        await writeFile(ownTemplate(workload), template);
        await symlink('template', workload.passfile);
      },
    },
    {
      name: 'the template being a link to the passfile',
      what: /--template and --passfile \(PGPASSFILE\) name the same file/,
      args: withTemplate,
      env: () => withoutEntries,
      arrange: async (workload) => {
        await writeFile(workload.passfile, template);
        await symlink('pgpass', ownTemplate(workload));
      },
    },
    {
      name: 'the passfile being a second name of the template',
      what: /--template and --passfile \(PGPASSFILE\) name the same file/,
      args: withTemplate,
      env: () => withoutEntries,
      arrange: async (workload) => {
        await writeFile(ownTemplate(workload), template);
        await link(ownTemplate(workload), workload.passfile);
      },
    },
    {
      name: 'the passfile below a link to the directory of the template',
      what: /--template and --passfile \(PGPASSFILE\) name the same file/,
      args: withTemplate,
      env: ({ directory }) => ({
        ...withoutEntries,
        PGPASSFILE: join(directory, 'way', 'template'),
      }),
      arrange: async (workload) => {
        await writeFile(ownTemplate(workload), template);
        await symlink('.', join(workload.directory, 'way'));
      },
    },
    {
      name: 'the passfile naming the federated token',
      what: /--federated-token-file \(AZURE_FEDERATED_TOKEN_FILE\) name the same file/,
      env: ({ volume }) => ({ PGPASSFILE: volume.tokenPath }),
    },
    {
      name: 'the passfile being a link to the federated token',
      what: /--federated-token-file \(AZURE_FEDERATED_TOKEN_FILE\) name the same file/,
      arrange: ({ volume, passfile }) => symlink(volume.tokenPath, passfile),
    },
    {
      name: 'the passfile naming a CA file that is not there yet',
      what: /--ca-file \(PGPASSD_CA_FILE\) name the same file/,
      args: ({ passfile }) => ['--ca-file', passfile],
    },
    ...[
      'AZURE_KUBERNETES_CA_FILE',
      'NODE_EXTRA_CA_CERTS',
      'SSL_CERT_FILE',
      'PGSSLROOTCERT',
      'PGSERVICEFILE',
    ].map((name) => ({
      name: `the passfile being a link to the file of ${name}`,
      what: new RegExp(`--passfile \\(PGPASSFILE\\) and ${name} name the same file`),
      env: ({ directory }: Workload) => ({ [name]: join(directory, 'way', 'file') }),
      arrange: async ({ directory, passfile }: Workload) => {
        await mkdir(join(directory, 'real'));
        await writeFile(join(directory, 'real', 'file'), '');
        await symlink('real', join(directory, 'way'));
        await link(join(directory, 'real', 'file'), passfile);
      },
    })),
    {
      name: 'a relative passfile',
      what: /^--passfile \(PGPASSFILE\) is a relative path/,
      env: () => ({ PGPASSFILE: 'pgpass' }),
    },
    {
      name: 'a passfile in ~, which no program replaces',
      what: /^--passfile \(PGPASSFILE\) is a relative path/,
      args: () => ['--passfile', '~/.pgpass'],
    },
    {
      name: 'more lines than are read again with a token in each',
      what: /would have \d+ KiB with a token of 512 bytes in each of the 10000 lines that hold the token/,
      args: withTemplate,
      env: () => withoutEntries,
      arrange: (workload) =>
        writeFile(
          ownTemplate(workload),
          Array.from({ length: 10_000 }, (_, n) => `h${n}:5432:*:u:${PLACEHOLDER}\n`).join(''),
        ),
    },
    {
      name: 'more lines than are read again, whatever they are for',
      what: /would have more than 100000 lines/,
      args: withTemplate,
      env: () => withoutEntries,
      arrange: (workload) => writeFile(ownTemplate(workload), `${'\n'.repeat(100_001)}${template}`),
    },
    {
      name: 'a passfile that is no file, but a FIFO',
      what: /not a regular file/,
      arrange: ({ passfile }) => promisify(execFile)('mkfifo', [passfile]),
    },
  ];

  test.for(mistaken)(
    'ends with 2 before it asks or writes, for $name',
    async ({ what, args, env, arrange }, { expect, onTestFinished }) => {
      const workload = await openWorkload({ onTestFinished });
      const { directory, entra } = workload;
      await arrange?.(workload);
      const before = await namesIn(directory);
      const ended = await commandHere(
        [command, ...(args?.(workload) ?? [])],
        { ...workload.env, ...env?.(workload) },
        onTestFinished,
      );
      expect(ended).toMatchObject({ exitCode: 2 });
      expect(sentencesOf(ended.stderr)[0]).toMatch(what);
      expect(await namesIn(directory)).toEqual(before);
      expect(entra.requests).toEqual([]);
    },
  );
});

test('a file that another writer puts in place of the running one is kept before it is repaired', async ({
  expect,
}) => {
  const { passfile, directory, entra, startHere } = await openWorkload();
  const pgpassd = startHere(['run', '--on-exit', 'remove']);
  await pgpassd.waitFor('token.refreshed');
  await writeFile(join(directory, 'new'), FOREIGN);
  await rename(join(directory, 'new'), passfile);
  await pgpassd.waitFor('passfile.kept');
  await pgpassd.waitFor('passfile.repaired');
  expect(await readFile(passfile, 'utf8')).toBe(passfileWith(entra.issued[0]));
  pgpassd.signal('SIGTERM');
  expect(await pgpassd.exited).toEqual({ code: 0, signal: null });
  expect(await namesIn(directory)).toEqual(['pgpass.before-pgpassd']);
  expect(await readFile(`${passfile}.before-pgpassd`, 'utf8')).toBe(FOREIGN);
});

test.for([
  ['as many line ends as it may have bytes', '\n'.repeat(4 * 1024 * 1024)],
  ['as many lines as it may have', 'other:5432:*:me:password\n'.repeat(100_000)],
])(
  'a passfile of %s is kept and replaced in little memory',
  async ([_what, content = ''], { expect }) => {
    const { passfile, directory, start } = await openWorkload();
    const path = join(directory, 'template');
    await writeFile(path, template);
    await writeFile(passfile, content, { mode: 0o600 });
    const env = { ...withoutEntries, NODE_OPTIONS: '--max-old-space-size=32' };
    const pgpassd = start(['once', '--template', path], { env });
    expect(await pgpassd.exited, pgpassd.output()).toEqual({ code: 0, signal: null });
    expect(await readFile(`${passfile}.before-pgpassd`, 'utf8')).toBe(content);
  },
);

test('an edited template and a restart replace what the earlier one made, and keep nothing', async ({
  expect,
}) => {
  const { passfile, directory, entra, startHere } = await openWorkload();
  const path = join(directory, 'template');
  for (const edit of ['one', 'two', 'three']) {
    await writeFile(path, template.replace('static', edit));
    const pgpassd = startHere(['once', '--template', path], { env: withoutEntries });
    expect(await pgpassd.exited, pgpassd.output()).toEqual({ code: 0, signal: null });
    expect(await readFile(passfile, 'utf8')).toBe(
      template.replace('static', edit).replace(PLACEHOLDER, entra.issued.at(-1) ?? ''),
    );
  }
  expect(await namesIn(directory)).toEqual(['.pgpass.pgpassd-written', 'pgpass', 'template']);
});

test('wait and check take a relative passfile, and say where it is', async ({ expect }) => {
  const { startHere } = await openWorkload();
  for (const command of ['wait', 'check']) {
    const pgpassd = startHere([command, '--timeout', '1s', '--passfile', 'nowhere/pgpass']);
    expect((await pgpassd.exited).code, pgpassd.output()).toBe(7);
  }
});
