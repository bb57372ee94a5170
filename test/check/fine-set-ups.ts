import { createHash } from 'node:crypto';
import { symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { PLACEHOLDER } from '../../src/passfile/format.ts';
import { ROLE, SERVER_NAME } from '../postgres/azure.ts';
import { mountTmpfs } from '../support/tmpfs.ts';
import { emptyDirectory, fileWith } from './context.ts';
import { applicationSide, behindMount, bindMount, keepCurrent, type Pod } from './pod.ts';
import type { SetUp } from './set-ups.ts';

/** A pod that looks as if something was wrong with it. */
export type FineSetUp = Pick<SetUp, 'name' | 'needs' | 'arrange'>;

/** The directory as an application should mount it. */
const mountReadOnly = ({ directory }: Pod) => bindMount(directory, directory, 'ro');

/** The variables with which a client connects. */
const clientVariables = ({ azure }: Pod) => ({
  PGHOST: SERVER_NAME,
  PGPORT: `${azure.front.port}`,
  PGDATABASE: 'postgres',
  PGUSER: ROLE,
  PGHOSTADDR: undefined,
});

export const fineSetUps: readonly FineSetUp[] = [
  {
    name: 'the webhook gives an application the identity, too',
    needs: 'needs to mount',
    arrange: async (pod) => {
      await mountReadOnly(pod);
      return { env: { PGPASSD_ENTRIES: undefined } };
    },
  },
  {
    name: 'the webhook does so, and libpq’s variables name a server',
    needs: 'needs to mount',
    arrange: async (pod) => {
      await mountReadOnly(pod);
      return { env: { PGPASSD_ENTRIES: undefined, ...clientVariables(pod) } };
    },
  },
  {
    name: 'an application shares all settings with a pgpassd at work',
    needs: 'needs to mount',
    arrange: async (pod) => ({
      under: behindMount(`mount --bind -o ro ${pod.directory} ${pod.directory}`),
      env: await keepCurrent(pod),
    }),
  },
  {
    name: 'the entries stand in the args of the running pgpassd',
    arrange: async (pod) => ({
      env: { PGPASSD_ENTRIES: undefined, ...(await keepCurrent(pod)) },
    }),
  },
  {
    name: 'PGPASSFILE names the passfile through a link',
    arrange: async ({ directory, passfile }) => {
      const link = join(await emptyDirectory(), 'run');
      await symlink(directory, link);
      return { args: ['--passfile', passfile], env: { PGPASSFILE: join(link, 'pgpass') } };
    },
  },
  {
    name: 'an application finds the passfile in its home directory',
    arrange: async ({ directory, line }) => {
      await writeFile(join(directory, '.pgpass'), line, { mode: 0o600 });
      const named = { PGPASSFILE: undefined, HOME: directory };
      return {
        args: ['--passfile', join(directory, '.pgpass')],
        env: { ...applicationSide, ...named },
      };
    },
  },
  {
    name: 'the volume has no limit',
    needs: 'needs to mount',
    arrange: async ({ directory, passfile, line }) => {
      const volume = await mountTmpfs(directory, 0);
      onTestFinished(() => volume.unmount());
      await writeFile(passfile, line, { mode: 0o600 });
      return {};
    },
  },
  {
    name: 'a static password stands beside the token, for a database of its own',
    arrange: async ({ connection, line, passfile }) => {
      const static_ = connection.replace(':postgres:', ':legacy:');
      const managed = connection.replace(':postgres:', ':*:');
      await writeFile(passfile, `${static_}:hunter2\n${line.replace(':postgres:', ':*:')}`);
      const template = await fileWith(`${static_}:hunter2\n${managed}:${PLACEHOLDER}\n`);
      return { env: { PGPASSD_ENTRIES: undefined, PGPASSD_TEMPLATE: template } };
    },
  },
  {
    name: 'an earlier template made the passfile',
    arrange: async ({ line, passfile }) => {
      const content = `# an earlier template\n${line}`;
      await writeFile(passfile, content);
      const digest = createHash('sha256').update(content).digest('hex');
      await writeFile(join(dirname(passfile), '.pgpass.pgpassd-written'), digest);
      return {};
    },
  },
  {
    name: 'an application finds lines of its own in the passfile',
    arrange: async ({ line, passfile }) => {
      await writeFile(passfile, `# mine\n${line}other.example:*:*:me:static\n`);
      return { env: applicationSide };
    },
  },
  {
    name: 'a service says what libpq’s variables say otherwise',
    arrange: async (pod) => ({
      env: {
        ...applicationSide,
        ...clientVariables(pod),
        PGHOST: 'db',
        PGSERVICE: 'app',
        PGSERVICEFILE: await fileWith(`[app]\nhost=${SERVER_NAME}\n`),
      },
    }),
  },
];
