import fc from 'fast-check';
import { flagOf, type Option, variableOf } from '../../../src/config/option.ts';
import { options } from '../../../src/config/options.ts';
import { ask } from '../../observe/clients.ts';
import { findLeaks } from '../../support/leak-check.ts';
import { insist } from '../outcome.ts';
import { names, openPod, type Pod } from '../pod.ts';
import { runCommand } from '../run-command.ts';
import { misplacedSecret, secrets } from '../secrets.ts';
import { fuzz, type Texts } from '../target.ts';
import { openTokenEndpoint, type Reply, type TokenEndpoint } from '../token-endpoint.ts';

/** Stands for the directory of the pod, which has another name each time. */
const ROOT = '{root}';
const ENDPOINT = '{endpoint}';

const id = '8f3c1a52-6d0e-4b7a-9c25-41e07fd3b690';

/** With these every command does something. */
const whole: Readonly<Record<string, string>> = {
  HOME: `${ROOT}/cwd`,
  AZURE_TENANT_ID: id,
  AZURE_CLIENT_ID: id,
  AZURE_FEDERATED_TOKEN_FILE: `${ROOT}/token`,
  AZURE_AUTHORITY_HOST: ENDPOINT,
  PGPASSD_SCOPE: 'an-audience/.default',
  PGPASSD_HTTP_ADDRESS: 'off',
  PGPASSFILE: `${ROOT}/out/pgpass`,
  PGPASSD_ENTRIES: 'db.example.com:5432:*:app',
};

const everyOption = Object.entries(options).map(([name, option]) => ({
  flag: flagOf(name),
  variables: [variableOf(name, option), ...((option as Option<unknown>).alsoFrom ?? [])],
}));

const flags = [...everyOption.map(({ flag }) => flag), '--no-such-flag', '-x', ''];

const variables = [
  ...everyOption.flatMap((each) => each.variables),
  ...['PGHOST', 'PGHOSTADDR', 'PGPORT', 'PGDATABASE', 'PGUSER', 'PGSERVICE', 'PGSERVICEFILE'],
  ...['PGSYSCONFDIR', 'PGSSLMODE', 'PGSSLROOTCERT', 'PGPASSWORD', 'PGREQUIREAUTH', 'HOME', 'PATH'],
  ...['PGCHANNELBINDING', 'HTTPS_PROXY', 'NO_PROXY', 'NODE_EXTRA_CA_CERTS', 'AZURE_CLIENT_SECRET'],
  ...['TOKEN_PROXY', 'SNI_NAME', 'CA_DATA', 'CA_FILE'].map((each) => `AZURE_KUBERNETES_${each}`),
  ...['PGPASSD_NO_SUCH', 'NO_COLOR'],
];

const paths = names.map((name) => `${ROOT}/${name}`);

/** Settings as somebody would write them: with these a command goes on to do something. */
const good: readonly (readonly [flag: string, variable: string, values: readonly string[]])[] = [
  ['--passfile', 'PGPASSFILE', [...paths, `${ROOT}/cwd/${'p'.repeat(300)}`, './pgpass', 'pgpass']],
  ['--entry', 'PGPASSD_ENTRIES', ['h:5432:*:app', 'postgresql://app@127.0.0.1:1/shop', 'a:::b']],
  ['--template', 'PGPASSD_TEMPLATE', paths],
  ['--mode', 'PGPASSD_MODE', ['0600', '0400']],
  ['--owner', 'PGPASSD_OWNER', ['0:0', '1000', '1000:1000']],
  ['--on-exit', 'PGPASSD_ON_EXIT', ['keep', 'remove']],
  ['--client-id', 'AZURE_CLIENT_ID', [id, 'a-client']],
  ['--tenant-id', 'AZURE_TENANT_ID', [id, 'tenant.example']],
  ['--federated-token-file', 'AZURE_FEDERATED_TOKEN_FILE', paths],
  ['--ca-file', 'PGPASSD_CA_FILE', paths],
  ['--authority-host', 'AZURE_AUTHORITY_HOST', [ENDPOINT, 'http://127.0.0.1:1/']],
  ['--scope', 'PGPASSD_SCOPE', ['https://ossrdbms-aad.database.windows.net/.default']],
  ['--token-endpoint', 'PGPASSD_TOKEN_ENDPOINT', [`${ENDPOINT}token`]],
  ['--token-param', 'PGPASSD_TOKEN_PARAM', ['grant_type=x', 'client_secret=y']],
  ['--token-command', 'PGPASSD_TOKEN_COMMAND', ['no-such-program --all', '/no/such "x"']],
  ['--http-address', 'PGPASSD_HTTP_ADDRESS', ['127.0.0.1:0', 'off', '127.0.0.1:1']],
  ['--log-level', 'PGPASSD_LOG_LEVEL', ['trace', 'info']],
  ['--for', 'PGPASSD_FOR', ['h:5432:shop:app']],
  ['--expect-uid', 'PGPASSD_EXPECT_UID', ['0', '1000']],
  ['--min-validity', 'PGPASSD_MIN_VALIDITY', ['1s', '100h']],
  ['--refresh-fraction', 'PGPASSD_REFRESH_FRACTION', ['0.9']],
  ['--allow-wildcard-host', 'PGSERVICE', ['true', 'a-service']],
  ['--connect', 'PGSSLMODE', ['false', 'verify-full']],
];

const goodSetting = fc
  .constantFrom(...good)
  .chain(([flag, variable, values]) =>
    fc.tuple(fc.constant({ flag, variable }), fc.constantFrom(...values)),
  );

const anySetting = (texts: Texts) =>
  fc.tuple(
    fc.record({ flag: fc.constantFrom(...flags), variable: fc.constantFrom(...variables) }),
    fc.oneof(
      { weight: 5, arbitrary: misplacedSecret },
      { weight: 1, arbitrary: fc.constantFrom(...good.flatMap(([, , values]) => values)) },
      {
        weight: 1,
        arbitrary: texts(
          ['a path', 'db.example.com:5432:*:app', 'an-audience/.default'],
          ['/', ':', '*', '=', '$(A)', '\u001b[31m', '\u202e', '\u0085', 'eyJ', ' ', '-'],
        ).map(harmless),
      },
    ),
  );

const settingOf = (texts: Texts) =>
  fc.record({
    setting: fc.oneof(
      { weight: 3, arbitrary: goodSetting },
      { weight: 2, arbitrary: anySetting(texts) },
    ),
    asFlag: fc.boolean(),
  });

/** No name of a host, which would be looked up, and no path out of the pod. */
function harmless(text: string): string {
  return text.replaceAll('\0', '').replace(/^\/+/, './').replaceAll('..', '.');
}

/** `check` takes several times as long as the others. */
const commandNames = [
  ...['once', 'once', 'once', 'once', 'run', 'run', 'run', '', 'wait', 'wait', 'wait', 'check'],
] as const;

export const commandInputs = (texts: Texts) =>
  fc.record({
    command: fc.constantFrom(...commandNames),
    /** Of what a command needs, how much there is. */
    base: fc.oneof(
      { weight: 6, arbitrary: fc.constant(Object.keys(whole)) },
      { weight: 1, arbitrary: fc.subarray(Object.keys(whole)) },
    ),
    settings: fc.array(settingOf(texts), { maxLength: 4 }),
    switches: fc.subarray(['--json', '--connect', '--allow-wildcard-host'], { maxLength: 1 }),
    rest: fc.option(fc.array(fc.oneof(misplacedSecret, fc.constant('x')), { maxLength: 2 }), {
      freq: 8,
    }),
    online: fc.nat(19).map((chance) => chance === 0),
    reply: fc.constantFrom<Reply>('granted', 'quoting', 'odd'),
  });

type Input = ReturnType<typeof commandInputs> extends fc.Arbitrary<infer I> ? I : never;

let opened: Promise<{ readonly pod: Pod; readonly endpoint: TokenEndpoint }> | undefined;

async function open() {
  const pod = openPod();
  process.chdir(pod.cwd);
  return { pod, endpoint: await openTokenEndpoint() };
}

/** The longest run in every 16 characters of a secret that begins at a multiple of 8. */
const blocks = secrets.flatMap((secret) => secret.match(/.{8}/gs) ?? []);

/** Most outputs hold not even half of a piece, which is quick to see. */
function holdsPieceOf(output: string): boolean {
  return blocks.some((block) => output.includes(block)) && findLeaks(output, secrets).length > 0;
}

/** The metrics and the probes of what runs. */
async function scrape(port: number): Promise<string> {
  const answers = ['/metrics', '/readyz'].map((path) => ask({ port }, { path }));
  return (await Promise.all(answers)).map(({ body }) => body).join('\n');
}

/** The words and the variables of an input, and the passfile that they name. */
export function commandLineOf(input: Input, expand: (text: string) => string) {
  const env: Record<string, string> = {};
  for (const name of input.base) env[name] = expand(whole[name] ?? '');
  const given: [flag: string, value: string][] = [];
  for (const { setting, asFlag } of input.settings) {
    const [{ flag, variable }, value] = setting;
    if (asFlag) given.push([flag, expand(value)]);
    else env[variable] = expand(value);
  }
  const args = [
    ...(input.command === '' ? [] : [input.command]),
    ...given.flat(),
    ...input.switches,
    ...(input.command === 'check' && !input.online ? ['--offline'] : []),
    ...(input.rest === null ? [] : ['--', ...input.rest]),
  ];
  const flagged = given.findLast(([flag]) => flag === '--passfile')?.[1];
  return { args, env, passfile: flagged ?? (env['PGPASSD_PASSFILE'] || env['PGPASSFILE']) };
}

/** Throws when the output shows a defect, or a file was made or changed that is none of the passfile's. */
export function judge(output: string, changed: readonly string[]): void {
  insist(changed.length === 0, `${changed.join(', ')} is none of the passfile's names`);
  if (holdsPieceOf(output)) throw new Error(`${findLeaks(output, secrets)} is printed:\n${output}`);
  insist(!/[\p{Cc}\p{Cf}\u2028\u2029]/u.test(output.replaceAll('\n', '')), `raw:\n${output}`);
}

/** Each reads and writes files, and some of them ask for tokens over HTTP. */
const RUNS_IN_TESTS = 1_000;

export const commands = [
  fuzz(
    'a command under any settings',
    commandInputs,
    async (input) => {
      opened ??= open();
      const { pod, endpoint } = await opened;
      endpoint.reply = input.reply;
      const expand = (text: string) =>
        text.replaceAll(ROOT, pod.root).replaceAll(ENDPOINT, endpoint.url);
      const { args, env, passfile } = commandLineOf(input, expand);
      const { output, code, cause } = await runCommand(args, env, scrape);
      if (code === 'internal') throw cause;
      judge(output, pod.settle(passfile));
    },
    RUNS_IN_TESTS,
  ),
];
