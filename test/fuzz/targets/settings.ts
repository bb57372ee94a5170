import fc from 'fast-check';
import { parseCommandLine } from '../../../src/cli.ts';
import { parseEntries } from '../../../src/config/entry.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { flagOf, variableOf } from '../../../src/config/option.ts';
import { options } from '../../../src/config/options.ts';
import {
  parseAuthorityHost,
  parseCommand,
  parseDurationMs,
  parseFormField,
  parseFraction,
  parseMode,
  parseOwner,
  parseTenantId,
  ValueError,
} from '../../../src/config/values.ts';
import { formatLine, parseLine } from '../../../src/passfile/format.ts';
import { PgpassdError } from '../../../src/support/errors.ts';
import { holdsPiece, insist, isFitForLog, outcome } from '../outcome.ts';
import { fuzz, type Texts } from '../target.ts';

/** No piece of it is a plain word, which a mistyped flag may be repeated for. */
const PASSWORD = 'correct.horse~battery.staple';

/** Says what is expected, fit for a log, and never with the password of the string that it refuses. */
const isValueError = (error: unknown): boolean =>
  error instanceof ValueError && isFitForLog(error.message) && !holdsPiece(error.message, PASSWORD);

const connectionStringOf = (texts: Texts) =>
  texts(
    [
      'my-server:5432:*:my-app',
      'postgresql://my-app@my-server.postgres.database.azure.com:5432/appdb?sslmode=require',
      `postgresql://my-app:${PASSWORD}@my-server/appdb`,
      `postgresql://my-app@one:1,[::1]:2/db?password=${PASSWORD}&host=x`,
      `host=my-server user=my-app dbname='app db' password='${PASSWORD}'`,
      `host = one,two port=5432, user = my-app passwor=${PASSWORD}`,
    ],
    [
      'postgresql://',
      '@',
      ':',
      '/',
      '?',
      '&',
      '=',
      '%',
      '%00',
      '%zz',
      '[',
      ']',
      ',',
      'host=',
      ' ',
      '*',
      PASSWORD,
    ],
  );

const plainValue = (texts: Texts) =>
  texts(
    ['90s', '1h30m', '0.5', '0600', '1000:1000', '8f3c1a52-6d0e-4b7a-9c25-41e07fd3b690'],
    ['9', '0', '1', '.', ':', '-', 'h', 'm', 's', 'e', ' ', '/'],
  );

const parsers = { parseFraction, parseMode, parseOwner, parseTenantId, parseFormField };

const names = Object.entries(options).map(([name, option]) => [
  flagOf(name),
  variableOf(name, option),
]);
const settingOf = (texts: Texts) =>
  fc.oneof(
    fc.constantFrom(`postgresql://my-app:${PASSWORD}@my-server`, PASSWORD, ''),
    fc.constantFrom('https://login.microsoftonline.com/', '/path', 'my-server:5432:*:my-app'),
    fc.constant(`https://my-app:${PASSWORD}@my-server/`),
    plainValue(texts),
  );
/** A mistyped one may be all in one word with what should follow it. */
const mistypedFlag = (texts: Texts) =>
  fc.oneof(
    fc.constantFrom(...names.map(([each = '']) => each)),
    texts(
      ['--passfile', '--entry', `-dpostgresql://my-app:${PASSWORD}@my-server`],
      ['-', '--', 'e'],
    ),
  );
const mistypedVariable = (texts: Texts) =>
  fc.oneof(
    fc.constantFrom(
      ...names.map(([, each = '']) => each),
      ...['AZURE_TENANT_ID', 'PGHOST', 'PGHOSTADDR', 'PGPORT', 'PGDATABASE', 'PGUSER'],
      ...['TOKEN_PROXY', 'SNI_NAME', 'CA_DATA', 'CA_FILE'].map(
        (each) => `AZURE_KUBERNETES_${each}`,
      ),
    ),
    texts(
      ['PGPASSD_PASSFILE', `PGPASSD_ENTRY:postgresql://my-app:${PASSWORD}@my-server`],
      ['_', 'P', '1', '_SERVICE_PORT_'],
    ),
  );

/** The ways to quote any word for POSIX sh. */
const quotations: readonly ((word: string) => string)[] = [
  (word) => `'${word.replaceAll("'", `'\\''`)}'`,
  (word) => `"${word.replaceAll(/[$`"\\]/g, '\\$&')}"`,
];

export const settings = [
  fuzz('entry or connection string', connectionStringOf, (text) => {
    const entries = outcome(() => parseEntries(text), isValueError);
    for (const entry of entries ?? []) {
      const line = formatLine({ entry, password: 'p' });
      insist(!/[\r\n\0]/.test(line), 'an entry is more than a line');
      insist(
        JSON.stringify(parseLine(line)?.entry) === JSON.stringify(entry),
        'libpq would read another entry',
      );
    }
  }),

  fuzz('duration', plainValue, (text) => {
    const durationMs = outcome(() => parseDurationMs(text), isValueError);
    insist(durationMs === undefined || durationMs >= 1_000, 'a duration below its smallest unit');
  }),

  fuzz('other values', plainValue, (text) => {
    for (const parse of Object.values(parsers)) outcome(() => parse(text), isValueError);
  }),

  fuzz(
    'authority host',
    (texts) =>
      texts(
        ['https://login.microsoftonline.com/', 'http://localhost:8080', 'https://[::1]/x'],
        ['http://', 'https://', '@', ':', '/', '#', '?', '127.0.0.1', '[', ']', '%'],
      ),
    (text) => {
      const url = outcome(() => parseAuthorityHost(text), isValueError);
      if (url === undefined) return;
      insist(
        url.protocol === 'https:' || /^(localhost|127\.|\[::1)/.test(url.hostname),
        'in clear',
      );
      insist(url.username + url.password + url.hash + url.search === '', 'more than host and path');
    },
  ),

  fuzz(
    'command line',
    (texts) =>
      texts(
        [`az account get-access-token --resource 'a b' "c \\" d"`],
        ["'", '"', '\\', ' ', '$', '`', '|'],
      ),
    (text) => {
      const argv = outcome(() => parseCommand(text), isValueError);
      if (argv === undefined) return;
      insist(argv[0] !== '', 'a command without a program');
      for (const quoted of quotations) {
        const again = parseCommand(argv.map(quoted).join(' '));
        insist(JSON.stringify(again) === JSON.stringify(argv), 'quoted, its words are others');
      }
    },
  ),

  fuzz(
    'configuration',
    (texts) =>
      fc.tuple(
        fc.array(
          fc.record({
            flag: mistypedFlag(texts),
            value: fc.option(settingOf(texts), { nil: undefined }),
          }),
          { maxLength: 4 },
        ),
        fc.dictionary(mistypedVariable(texts), settingOf(texts), { maxKeys: 4 }),
      ),
    ([flags, env]) => {
      const words = flags.flatMap(({ flag, value }) =>
        value === undefined ? [flag] : [flag, value],
      );
      outcome(
        () => {
          const invocation = parseCommandLine(['check', ...words]);
          return loadConfig(invocation.kind === 'command' ? invocation.flags : {}, env, 'check');
        },
        (error) =>
          error instanceof PgpassdError &&
          error.code === 'config.invalid' &&
          error.message.split('\n').every(isFitForLog) &&
          !holdsPiece(`${error.message} ${error.remedy}`, PASSWORD),
      );
    },
  ),
];
