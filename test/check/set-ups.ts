import { execFile } from 'node:child_process';
import { appendFile, chmod, chown, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import type { Environment } from '../../src/config/option.ts';
import { PLACEHOLDER } from '../../src/passfile/format.ts';
import { answeredWith } from '../faults/refusals.ts';
import { ROLE, SERVER_NAME } from '../postgres/azure.ts';
import { grant } from '../support/fake-entra/ask.ts';
import { aadsts } from '../support/fake-entra/faults.ts';
import { createCa } from '../support/postgres/certificates.ts';
import { startSilentPeer } from '../support/silent-peer.ts';
import { mountTmpfs } from '../support/tmpfs.ts';
import { unsignedJwt } from '../support-units/unsigned-jwt.ts';
import { emptyDirectory, fileWith, startEntra } from './context.ts';
import { startPeer } from './login/parts.ts';
import { applicationSide, bindMount, type Difference, keepCurrent, type Pod } from './pod.ts';

/** A pod in which one thing is wrong. */
export interface SetUp {
  readonly name: string;
  /** What programs know the first finding by. */
  readonly cause: string;
  readonly exitCode: number;
  /** Told behind the name: where it can be built. */
  readonly needs?: 'as root' | 'not as root' | 'needs to mount';
  readonly arrange: (pod: Pod) => Difference | Promise<Difference>;
}

type Arrange = SetUp['arrange'];
type Needs = NonNullable<SetUp['needs']>;

const run = promisify(execFile);

const set =
  (env: Environment): Arrange =>
  () => ({ env });

const write =
  (content: (pod: Pod) => string): Arrange =>
  async (pod) => {
    await writeFile(pod.passfile, content(pod));
    return {};
  };

const settings: readonly SetUp[] = [
  setUp('the label on the pod is missing', 'not-injected', 2, () => ({
    env: {
      AZURE_TENANT_ID: undefined,
      AZURE_CLIENT_ID: undefined,
      AZURE_FEDERATED_TOKEN_FILE: undefined,
      PGPASSFILE: '/pgpass/not-there',
    },
  })),
  setUp('the service account has no client id', 'setting', 2, set({ AZURE_CLIENT_ID: '' })),
  setUp(
    'a reference in a setting was not replaced',
    'setting',
    2,
    set({ PGPASSD_ENTRIES: '$(PGHOST):5432:*:app' }),
  ),
  setUp('a setting is mistyped', 'setting', 2, set({ PGPASSD_ENTRY: 'db:5432:*:app' })),
  setUp('an entry holds a password', 'setting', 2, set({ PGPASSD_ENTRIES: 'db:5432:*:app:pw' })),
  setUp('the template is missing', 'config.invalid', 2, () => ({
    env: { PGPASSD_ENTRIES: undefined, PGPASSD_TEMPLATE: '/nowhere/template' },
  })),
  setUp('the CA file is missing', 'config.invalid', 2, set({ PGPASSD_CA_FILE: '/nowhere/ca.pem' })),
];

const federatedToken: readonly SetUp[] = [
  setUp('the token is not mounted', 'federated-token.missing', 3, ({ volume }) => ({
    env: { AZURE_FEDERATED_TOKEN_FILE: `${volume.root}/elsewhere` },
  })),
  setUp('the token file is empty', 'federated-token.empty', 3, holding('')),
  setUp('the token file holds a password', 'federated-token.malformed', 3, holding('hunter2')),
  setUp('the token has expired', 'federated-token.expired', 3, async ({ entra, volume }) => {
    const notBeforeMs = Date.now() - 2 * 3_600_000;
    await volume.write(await entra.cluster.issueServiceAccountToken({ notBeforeMs }));
    return {};
  }),
  setUp('the token is a directory', 'federated-token.unreadable', 3, ({ volume: { root } }) => ({
    env: { AZURE_FEDERATED_TOKEN_FILE: root },
  })),
  setUp(
    'the token is for the eyes of root',
    'federated-token.unreadable',
    3,
    async ({ entra, line }) => {
      const token = await fileWith(await entra.cluster.issueServiceAccountToken());
      await chmod(token, 0o600);
      const passfile = await fileWith(line);
      return { uid: 4711, env: { AZURE_FEDERATED_TOKEN_FILE: token, PGPASSFILE: passfile } };
    },
    'as root',
  ),
  setUp(
    'the token is mounted with subPath',
    'federated-token-frozen',
    3,
    async ({ entra, volume }) => {
      const notBeforeMs = Date.now() - 2 * 3_600_000;
      const old = await entra.cluster.issueServiceAccountToken({ notBeforeMs });
      const file = await fileWith(old);
      const target = join(await emptyDirectory(), 'token');
      await writeFile(target, '');
      await volume.write(await entra.cluster.issueServiceAccountToken());
      await bindMount(file, target);
      return { env: { AZURE_FEDERATED_TOKEN_FILE: target } };
    },
    'needs to mount',
  ),
  setUp('the clock of the API server is ahead', 'issuer-clock-ahead', 3, async (pod) => {
    const { entra, volume } = pod;
    const notBeforeMs = Date.now() + 1_200_000;
    await volume.write(await entra.cluster.issueServiceAccountToken({ notBeforeMs }));
    return {};
  }),
];

const network: readonly SetUp[] = [
  setUp(
    'the name of the authority does not resolve',
    'entra.unreachable',
    5,
    set({ AZURE_AUTHORITY_HOST: 'https://login.invalid/' }),
  ),
  setUp(
    'the authority refuses connections',
    'entra.unreachable',
    5,
    set({ AZURE_AUTHORITY_HOST: 'https://127.0.0.1:1/' }),
  ),
  setUp('the certificate of the authority is not trusted', 'entra.untrusted', 5, async () => {
    const ca = await createCa();
    const { keyPem: key, certPem: cert } = await ca.issue({ hosts: ['localhost'] });
    const { port } = await startEntra({ tls: { key, cert } });
    return { env: { AZURE_AUTHORITY_HOST: `https://localhost:${port}/` } };
  }),
  setUp('a firewall swallows what is said', 'tls-silent', 5, async () => {
    const peer = await startSilentPeer();
    onTestFinished(() => peer.close());
    return {
      args: ['--request-timeout', '1s'],
      env: { AZURE_AUTHORITY_HOST: `https://127.0.0.1:${peer.port}/` },
    };
  }),
  setUp('the HTTP proxy is down', 'http-proxy-unreachable', 5, () => ({
    env: {
      AZURE_AUTHORITY_HOST: 'https://login.microsoftonline.com/',
      HTTPS_PROXY: 'http://127.0.0.1:1',
    },
  })),
];

const exchange: readonly SetUp[] = [
  setUp('the client id is another', 'AADSTS700016', 4, set({ AZURE_CLIENT_ID: other() })),
  setUp('the tenant is another', 'AADSTS90002', 4, set({ AZURE_TENANT_ID: other() })),
  setUp('the issuer is another', 'AADSTS700211', 4, claiming({ issuer: 'https://other.example/' })),
  setUp('the audience is another', 'AADSTS700212', 4, claiming({ audience: 'api://other' })),
  setUp(
    'the subject is another',
    'AADSTS700213',
    4,
    claiming({ subject: 'system:serviceaccount:shop:default' }),
  ),
  setUp(
    'the scope is unknown to the tenant',
    'AADSTS500011',
    4,
    set({ PGPASSD_SCOPE: 'https://database.example.com/.default' }),
  ),
  ...[70021, 700024, 7000112, 53003, 700222, 7000229].map((code) =>
    setUp(`Entra answers AADSTS${code}`, `AADSTS${code}`, 4, ({ entra }) => {
      const { status, error } = answeredWith(code);
      entra.faults.always(aadsts(code, status, error, "In Entra's words."));
      return {};
    }),
  ),
  setUp('Entra throttles', 'entra.throttled', 5, answering(429)),
  setUp('Entra is down', 'entra.unavailable', 5, answering(503)),
  setUp('a portal answers instead of Entra', 'entra.bad-answer', 5, answering(200)),
  setUp('the token command is missing', 'token-command.failed', 5, () =>
    commanded('/nowhere/get-token'),
  ),
  setUp('the token command prints no token', 'token-command.bad-output', 5, () =>
    commanded("sh -c 'echo two words'"),
  ),
];

const passfile: readonly SetUp[] = [
  setUp('the passfile was never written', 'passfile-missing', 7, async (pod) => {
    await rm(pod.passfile);
    return {};
  }),
  setUp('the passfile is a link to nowhere', 'passfile-dangling', 7, async (pod) => {
    await rm(pod.passfile);
    await symlink('/nowhere', pod.passfile);
    return {};
  }),
  setUp('the passfile is a FIFO', 'passfile-not-a-file', 7, async (pod) => {
    await rm(pod.passfile);
    await run('mkfifo', ['-m', '600', pod.passfile]);
    return {};
  }),
  setUp('the passfile is a directory', 'passfile-not-a-file', 7, async (pod) => {
    await rm(pod.passfile);
    await mkdir(pod.passfile, { mode: 0o700 });
    return {};
  }),
  setUp('the passfile may be read by the group', 'passfile-mode', 7, async (pod) => {
    await chmod(pod.passfile, 0o640);
    return {};
  }),
  setUp('the application has another uid', 'passfile-owner', 7, () => ({
    args: ['--expect-uid', '4711'],
  })),
  setUp(
    'the passfile belongs to another user',
    'passfile-forbidden',
    7,
    async (pod) => {
      await chown(pod.passfile, 4712, 4712);
      return { uid: 4711, env: applicationSide };
    },
    'as root',
  ),
  setUp(
    'the passfile is empty',
    'passfile-without-lines',
    7,
    write(() => ''),
  ),
  setUp(
    'a line of another writer stands beside the token',
    'passfile-foreign',
    2,
    write(({ line }) => `${line}other.example:5432:*:me:static\n`),
  ),
  setUp(
    'a line of another writer is the comment in front of the token',
    'passfile-foreign',
    2,
    async ({ directory, passfile: path, line }) => {
      await writeFile(path, `# mine\n${line}`);
      await writeFile(join(directory, '.pgpass.pgpassd-written'), '0'.repeat(64));
      return {};
    },
  ),
  setUp(
    'all of the passfile is of another writer',
    'passfile-foreign',
    2,
    write(() => 'other.example:5432:*:me:static\n'),
  ),
  setUp('the passfile is the file of the CA', 'passfile-same-file', 2, ({ passfile: path }) => ({
    env: { PGSSLROOTCERT: path },
  })),
  setUp(
    'the passfile is a link to the template',
    'passfile-same-as-template',
    2,
    async ({ directory, passfile: path, connection }) => {
      const template = join(directory, 'template');
      await writeFile(template, `${connection}:${PLACEHOLDER}\n`, { mode: 0o600 });
      await rm(path);
      await symlink(template, path);
      return { env: { PGPASSD_ENTRIES: undefined, PGPASSD_TEMPLATE: template } };
    },
  ),
  setUp(
    'the template has more lines than are read',
    'passfile-would-have-too-many-lines',
    2,
    async ({ connection }) => ({
      env: {
        PGPASSD_ENTRIES: undefined,
        PGPASSD_TEMPLATE: await fileWith(`${'\n'.repeat(100_001)}${connection}:${PLACEHOLDER}\n`),
      },
    }),
  ),
  setUp(
    'the passfile is the template',
    'passfile-is-template',
    7,
    write(({ connection }) => `${connection}:\${token}\n`),
  ),
  setUp(
    'the passfile holds half a token',
    'passfile-token-cut',
    7,
    write(({ line }) => line.slice(0, 300)),
  ),
  setUp(
    'the passfile holds half a line',
    'passfile-line-malformed',
    7,
    write(({ line }) => `${line}db:5432`),
  ),
  setUp(
    'a blank follows the token',
    'passfile-line-blanks',
    7,
    write(({ line }) => line.replace('\n', ' \n')),
  ),
  setUp(
    'the token in the passfile has expired',
    'passfile-expired',
    7,
    write(({ connection }) => `${connection}:${unsignedJwt({ exp: Date.now() / 1000 - 60 })}\n`),
  ),
  setUp('the volume is not mounted', 'passfile-directory-missing', 6, ({ directory }) => ({
    env: { PGPASSFILE: join(directory, 'volume', 'pgpass') },
  })),
  setUp(
    'the directory belongs to another user',
    'passfile-directory-forbidden',
    6,
    async ({ directory }) => {
      await chmod(directory, 0o500);
      onTestFinished(() => chmod(directory, 0o700));
      return {};
    },
    'not as root',
  ),
  setUp(
    'the volume is mounted read-only',
    'passfile-read-only',
    6,
    async ({ directory }) => {
      await bindMount(directory, directory, 'ro');
      return {};
    },
    'needs to mount',
  ),
  setUp(
    'the volume is full',
    'passfile-volume-full',
    6,
    async ({ directory, passfile: path, line }) => {
      const volume = await mountTmpfs(directory, 16);
      onTestFinished(() => volume.unmount());
      await writeFile(path, line, { mode: 0o600 });
      await appendFile(join(directory, 'core'), Buffer.alloc(64 * 1024)).catch(() => undefined);
      return {};
    },
    'needs to mount',
  ),
  setUp(
    'the passfile is mounted with subPath',
    'passfile-is-mount',
    6,
    async ({ passfile: path }) => {
      await bindMount(path, path);
      return {};
    },
    'needs to mount',
  ),
  setUp('PGPASSFILE begins with ~', 'passfile-name', 7, set({ PGPASSFILE: '~/.pgpass' })),
  setUp('PGPASSFILE of the application begins with ~', 'passfile-name', 7, () => ({
    env: { ...applicationSide, PGPASSFILE: '~/.pgpass' },
  })),
  setUp('PGPASSFILE ends with a slash', 'passfile-name', 7, ({ passfile: path }) => ({
    env: { PGPASSFILE: `${path}/` },
  })),
  setUp('PGPASSFILE ends with a blank', 'passfile-name', 7, ({ passfile: path }) => ({
    env: { PGPASSFILE: `${path} ` },
  })),
  setUp('PGPASSFILE of the application names no file', 'passfile-missing', 7, (pod) => ({
    env: { ...applicationSide, PGPASSFILE: `${pod.passfile}.txt` },
  })),
  setUp('no variable names a passfile for the application', 'passfile-unnamed', 7, async (pod) => ({
    env: { ...applicationSide, PGPASSFILE: undefined, ...(await keepCurrent(pod)) },
  })),
  setUp(
    'the passfile is a keystore',
    'passfile-without-lines',
    7,
    write(() => 'keys\0\n'.repeat(9)),
  ),
  setUp(
    'pgpassd may not give the passfile away',
    'passfile-owner-refused',
    6,
    async ({ directory, passfile: path, volume }) => {
      await chown(directory, 4711, 4711);
      await chown(path, 4711, 4711);
      await chmod(volume.root, 0o755);
      return { uid: 4711, args: ['--owner', '1000'] };
    },
    'as root',
  ),
  setUp(
    'PGPASSFILE is the mounted directory',
    'passfile-is-directory',
    6,
    async ({ directory }) => {
      await bindMount(directory, directory);
      return { env: { PGPASSFILE: directory } };
    },
    'needs to mount',
  ),
  setUp(
    'the passfile in the application leads to a file mounted with subPath',
    'passfile-frozen',
    7,
    async ({ line, passfile: path }) => {
      const file = await fileWith(line);
      await chmod(file, 0o600);
      await rm(path);
      await symlink(file, path);
      await bindMount(file, file);
      return { env: applicationSide };
    },
    'needs to mount',
  ),
  setUp(
    'the passfile is mounted with subPath in the application',
    'passfile-frozen',
    7,
    async ({ passfile: path }) => {
      await bindMount(path, path);
      return { env: applicationSide };
    },
    'needs to mount',
  ),
];

const lookup: readonly SetUp[] = [
  setUp('the client spells the host in another way', 'lookup-no-line', 7, ({ azure }) => ({
    args: ['--for', `localhost:${azure.front.port}:postgres:${ROLE}`],
  })),
  setUp('an entry has no line', 'passfile-without-entry', 7, ({ connection }) => ({
    env: { PGPASSD_ENTRIES: `${connection}\nreplica.example:5432:*:${ROLE}` },
  })),
  setUp('the passfile was made of another template', 'passfile-without-entry', 7, async () => ({
    env: {
      PGPASSD_ENTRIES: undefined,
      PGPASSD_TEMPLATE: await fileWith(`replica:5432:*:app:${PLACEHOLDER}\n`),
    },
  })),
  setUp(
    'the passfile is still the one with the static password',
    'lookup-no-token',
    7,
    write(({ connection }) => `${connection}:hunter2\n`),
  ),
  setUp(
    'a static password comes first for the entry',
    'lookup-static-password',
    7,
    write(({ line }) => `${SERVER_NAME}:*:postgres:*:hunter2\n*:*:*:${ROLE}:${line.split(':')[4]}`),
  ),
  setUp('the service of the client names another host', 'lookup-no-line', 7, async (pod) => ({
    env: {
      ...applicationSide,
      PGHOST: SERVER_NAME,
      PGPORT: `${pod.azure.front.port}`,
      PGDATABASE: 'postgres',
      PGUSER: ROLE,
      ...(await service('[app]\nhost=db\n')).env,
    },
  })),
  setUp(
    'a static password stands above the token',
    'lookup-shadowed-line',
    7,
    write(({ line }) => `*:*:*:*:hunter2\n${line}`),
  ),
  setUp(
    'a static password comes first for this client',
    'lookup-static-password',
    7,
    async (pod) => {
      await writeFile(
        pod.passfile,
        `${SERVER_NAME}:*:postgres:*:hunter2\n*:*:*:${ROLE}:${pod.line.split(':')[4]}`,
      );
      return { args: ['--for', pod.connection] };
    },
  ),
];

const daemon: readonly SetUp[] = [
  setUp('the running pgpassd has another client id', 'daemon-failing', 4, async (pod) => {
    await rm(pod.passfile);
    return { env: await keepCurrent(pod, { AZURE_CLIENT_ID: other() }) };
  }),
  setUp(
    'an application waits for a pgpassd that Entra refuses',
    'daemon-failing',
    4,
    async (pod) => {
      await rm(pod.passfile);
      const running = await keepCurrent(pod, { AZURE_CLIENT_ID: other() });
      return { env: { ...applicationSide, ...running } };
    },
  ),
  setUp('no newer token comes to an application', 'daemon-failing', 4, async (pod) => {
    const expired = unsignedJwt({ exp: Date.now() / 1000 - 60 });
    await writeFile(pod.passfile, `${pod.connection}:${expired}\n`);
    const running = await keepCurrent(pod, { AZURE_CLIENT_ID: other() });
    return { env: { ...applicationSide, ...running } };
  }),
];

const overrides: readonly SetUp[] = [
  setUp('PGPASSWORD is set', 'pgpassword-set', 7, set({ PGPASSWORD: 'hunter2' })),
  setUp('PGPASSFILE names another file', 'pgpassfile-differs', 7, ({ passfile: path }) => ({
    args: ['--passfile', path],
    env: { PGPASSFILE: '/home/app/.pgpass' },
  })),
  setUp('PGPASSFILE is not set in the application', 'pgpassfile-unset', 7, (pod) => ({
    args: ['--passfile', pod.passfile],
    env: { ...applicationSide, PGPASSFILE: undefined },
  })),
  setUp('a service file holds a password', 'service-password', 7, () =>
    service('[app]\nhost=db\npassword=hunter2\n'),
  ),
  setUp('a service file names another passfile', 'service-passfile', 7, () =>
    service('[app]\npassfile=/home/app/.pgpass\n'),
  ),
  setUp('the service is not defined', 'service-missing', 7, () => service('[other]\nhost=db\n')),
  setUp(
    'the client insists on SCRAM',
    'cleartext-forbidden',
    7,
    set({ PGREQUIREAUTH: 'scram-sha-256' }),
  ),
];

const login: readonly SetUp[] = [
  connecting('the role is missing', 'role-missing', ({ azure, line }) => ({
    PGPASSD_ENTRIES: `${SERVER_NAME}:${azure.front.port}:postgres:nobody`,
    line: line.replace(ROLE, 'nobody'),
  })),
  connecting('the database is missing', 'database-missing', ({ azure, line }) => ({
    PGPASSD_ENTRIES: `${SERVER_NAME}:${azure.front.port}:shop:${ROLE}`,
    line: line.replace(':postgres:', ':shop:'),
  })),
  connecting('the name of the server does not resolve', 'server-name', ({ line }) => ({
    PGPASSD_ENTRIES: `db.invalid:5432:postgres:${ROLE}`,
    PGHOSTADDR: undefined,
    line: `*:*:*:*:${line.split(':')[4]}`,
  })),
  connecting('the server refuses connections', 'server-refuses-connections', ({ line }) => ({
    PGPASSD_ENTRIES: `${SERVER_NAME}:1:postgres:${ROLE}`,
    line: `*:*:*:*:${line.split(':')[4]}`,
  })),
  connecting('the server has no TLS', 'server-without-tls', async ({ line }) => {
    const { port } = await startPeer((socket) => socket.write('N'));
    return {
      PGPASSD_ENTRIES: `${SERVER_NAME}:${port}:postgres:${ROLE}`,
      line: `*:*:*:*:${line.split(':')[4]}`,
    };
  }),
  connecting('PGSSLMODE is mistyped', 'client-refuses', ({ line }) => ({
    PGSSLMODE: 'verify_full',
    line,
  })),
  connecting('the client would do without TLS', 'sslmode-without-tls', ({ line }) => ({
    PGSSLMODE: 'prefer',
    PGHOSTADDR: '203.0.113.1',
    PGSSLROOTCERT: undefined,
    line,
  })),
  connecting('the certificate of the server is not trusted', 'server-untrusted', async (pod) => ({
    PGSSLROOTCERT: await fileWith((await createCa()).certPem),
    line: pod.line,
  })),
  connecting('the server is called by another name', 'server-other-name', ({ azure, line }) => ({
    PGPASSD_ENTRIES: `db.internal:${azure.front.port}:postgres:${ROLE}`,
    line: line.replace(SERVER_NAME, 'db.internal'),
  })),
  connecting('the token is for another service', 'token-other-audience', async (pod) => {
    const resource = 'https://vault.azure.net';
    const { access_token: token } = await grant(await startEntra({ resources: [resource] }), {
      resource,
    });
    return {
      PGPASSD_TOKEN_COMMAND: `cat ${await fileWith(token)}`,
      line: `${pod.connection}:${token}\n`,
    };
  }),
];

/** In the order of `check`. */
export const setUps: readonly SetUp[] = [
  ...settings,
  ...federatedToken,
  ...network,
  ...exchange,
  ...daemon,
  ...passfile,
  ...lookup,
  ...overrides,
  ...login,
];

function setUp(
  name: string,
  cause: string,
  exitCode: number,
  arrange: Arrange,
  needs?: Needs,
): SetUp {
  return { name, cause, exitCode, arrange, ...(needs && { needs }) };
}

/** With a login, and a passfile of this one line. */
function connecting(
  name: string,
  cause: string,
  change: (pod: Pod) => Changed | Promise<Changed>,
): SetUp {
  return setUp(name, cause, 8, async (pod) => {
    const { line, ...env } = await change(pod);
    await writeFile(pod.passfile, line);
    return { args: ['--connect'], env };
  });
}

type Changed = Environment & { readonly line: string };

function holding(content: string): Arrange {
  return async ({ volume }) => {
    await volume.write(content);
    return {};
  };
}

function claiming(claims: Readonly<Record<string, string>>): Arrange {
  return async ({ entra, volume }) => {
    await volume.write(await entra.cluster.issueServiceAccountToken(claims));
    return {};
  };
}

function answering(status: number): Arrange {
  return ({ entra }) => {
    entra.faults.always({ kind: 'answer', status, body: '<html>Sorry</html>' });
    return {};
  };
}

function commanded(command: string): Difference {
  return { env: { PGPASSD_TOKEN_COMMAND: command, PGPASSD_TOKEN_LIFETIME: '15m' } };
}

async function service(content: string): Promise<Difference> {
  return { env: { PGSERVICE: 'app', PGSERVICEFILE: await fileWith(content) } };
}

function other(): string {
  return '00000000-1111-4222-8333-444444444444';
}
