import { splitFields, unescapeText } from '../passfile/format.ts';
import {
  clientSecretsIn,
  holdsClientSecret,
  holdsJwt,
  jwtsIn,
  Secret,
  SHORTEST_PASSWORD,
} from '../support/secret.ts';
import type { Environment } from './option.ts';
import { ValueError } from './values.ts';

/** `-----BEGIN`, as it is or in base64. */
const PEM = /-----BEGIN|LS0tLS1CRUdJTi/;

/**
 * What kind of secret a text is or holds, in words; `undefined` when it may be a setting. A secret in the
 * place of a setting was put there by mistake, and must not be shown.
 */
function secretContent(text: string): string | undefined {
  if (holdsJwt(text)) return 'a token';
  if (PEM.test(text)) return 'a PEM block';
  if (holdsClientSecret(text)) return 'a client secret';
  if (isPassfileLine(text)) return 'a line of a passfile';
  return passwordsInConnectionString(text).length > 0
    ? 'a connection string with its password'
    : undefined;
}

/** Five fields of which the second can be a port, unlike in other lists with colons. */
function isPassfileLine(text: string): boolean {
  // Nothing longer is a line of a passfile.
  const fields = splitFields(text.slice(0, 2 * LONGEST_PATH));
  const [host = '', port = ''] = fields;
  return fields.length > 4 && host !== '' && /^(?:\d{1,5}|\*|)$/.test(port);
}

/** PATH_MAX of Linux, without the NUL at the end. */
const LONGEST_PATH = 4_095;

/** A bare word up to this length may be the name of a file; a longer one may be a password. */
const LONGEST_BARE_NAME = 15;

/**
 * The path of a file.
 *
 * @throws ValueError when the text is the content of a file, or cannot be a path
 */
export function parsePath(text: string): string {
  const content = secretContent(text) ?? otherContent(text);
  if (content !== undefined) {
    throw new ValueError(
      `this is the content, not its path: it reads like ${content}. Put it into a file, and give the path of that file`,
    );
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
  if (/[\0-\x1f\x7f-\x9f\u2028\u2029]/.test(text)) {
    throw new ValueError('a path has no line breaks and no other control characters');
  }
  if (Buffer.byteLength(text) > LONGEST_PATH) {
    throw new ValueError(`a path has ${LONGEST_PATH} bytes at most`);
  }
  if (!text.includes('/') && text.length > LONGEST_BARE_NAME) {
    throw new ValueError(
      'give the full path, or put ./ before a name: a bare word of this length might be a password',
    );
  }
  return text;
}

/** What kind of content a text is that is neither a secret nor a path, in words. */
function otherContent(text: string): string | undefined {
  if (/^\s*\{\s*"/.test(text)) return 'a JSON object';
  if (/^[a-z][a-z\d+.-]{0,20}:\/\//i.test(text)) return 'a URL or a connection string';
  if (/^\s*(?:host|hostaddr|port|dbname|user|service|sslmode)\s*=/.test(text)) {
    return 'a connection string';
  }
  // With or without its password. A path with colons begins with a slash or a dot.
  if (/^[^/.]/.test(text) && splitFields(text).length > 3) return 'a line of a passfile';
  return /[\r\n]/.test(text) ? 'the lines of a file' : undefined;
}

const KEYWORD =
  /(?:password|passwd|pwd|secret|accesskey|assertion)\s*=\s*('[^']*'|"[^"]*"|[^\s;&]+)/gi;

/** The passwords of the URLs and connection strings in a text, as they are written there. */
function passwordsInConnectionString(text: string): readonly string[] {
  const inPairs = [...text.matchAll(KEYWORD)].map(([, value = '']) =>
    value.replace(/^['"]|['"]$/g, ''),
  );
  return [...passwordsOfUrls(text), ...inPairs].filter((each) => each !== '');
}

/** Of `scheme://user:PASSWORD@host`; a password ends at the last `@` before the path. */
function passwordsOfUrls(text: string): readonly string[] {
  const [, ...afterSchemes] = text.split('://');
  return afterSchemes.map((rest) => {
    const [authority = ''] = rest.split(/[\s/?#]/, 1);
    const [, user = ''] = /^(.*)@/s.exec(authority) ?? [];
    const colon = user.indexOf(':');
    return colon < 0 ? '' : user.slice(colon + 1);
  });
}

/** Variables of Node.js and libpq that name a file or a directory, and are read beside our settings. */
const PATH_VARIABLES = [
  'AZURE_KUBERNETES_CA_FILE',
  'HOME',
  'NODE_EXTRA_CA_CERTS',
  'PGPASSFILE',
  'PGSERVICEFILE',
  'PGSSLROOTCERT',
  'PGSYSCONFDIR',
];

/** Variables of libpq that `check` quotes. */
const TEXT_VARIABLES = [
  'PGCHANNELBINDING',
  'PGCONNECT_TIMEOUT',
  'PGDATABASE',
  'PGHOST',
  'PGHOSTADDR',
  'PGPORT',
  'PGREQUIREAUTH',
  'PGSERVICE',
  'PGSSLMODE',
  'PGUSER',
];

/** What is wrong with a variable that holds a secret or a file's content, without quoting it. */
export function misplacedIn(name: string, env: Environment): string | undefined {
  const text = env[name];
  if (!text) return undefined;
  try {
    if (PATH_VARIABLES.includes(name)) parsePath(text);
    else refuseSecret(text);
    return undefined;
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    return `${name}: ${error.message}`;
  }
}

/** The variables of other programs that hold a secret or a file's content, each with what is wrong. */
export function everyMisplacedIn(env: Environment): ReadonlyMap<string, string> {
  const found = [...PATH_VARIABLES, ...TEXT_VARIABLES].map(
    (name) => [name, misplacedIn(name, env)] as const,
  );
  return new Map(found.filter((each): each is [string, string] => each[1] !== undefined));
}

/** The environment without those variables, so that others may be quoted. */
export function withoutMisplaced(env: Environment): Environment {
  const misplaced = everyMisplacedIn(env);
  return Object.fromEntries(Object.entries(env).filter(([name]) => !misplaced.has(name)));
}

/** @throws ValueError when the text of a setting holds a secret */
export function refuseSecret(text: string): void {
  const content = secretContent(text);
  if (content !== undefined) {
    throw new ValueError(
      `this reads like ${content}, which does not belong here: this setting is not kept secret`,
    );
  }
}

/** Anything shorter also occurs in words that are no secret, and would be cut out of them. */
const SHORTEST = 16;

/** Only lists are longer, and they hold nothing opaque. */
const LONGEST_SEARCHED = 8_192;

/** Variables whose whole value is a password or the like, whatever characters it has. */
const PASSWORD_VARIABLES: readonly string[] = [
  'AZURE_CLIENT_CERTIFICATE_PASSWORD',
  'AZURE_CLIENT_SECRET',
  'PGPASSWORD',
];

/** The server's name is in every text, and is no secret even as a password. */
const KNOWN_PASSWORD = /^postgres(?:ql)?$/;

/** The names of other variables whose whole value is a secret. */
const SECRET_VARIABLE = /(?:PASSWORD|_SECRET|_TOKEN)$/;

/** Variables with settings of pgpassd, libpq and Azure: their values may be quoted. */
const SETTING_VARIABLE = /^(?:PG|AZURE_)/;

const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----([^-]*)/g;

/**
 * Every secret on a command line and in an environment, wherever it is: none may be printed, even where it
 * was put in the place of something that is.
 */
export function secretsIn(words: readonly string[], env: Environment): readonly Secret[] {
  const found = new Set<string>();
  const add = (text: string) => {
    if (text.length >= SHORTEST) found.add(text);
  };
  for (const word of words) {
    const value = /^--[^=]*=(.*)$/s.exec(word)?.[1] ?? word;
    for (const secret of secretsOf(value)) add(secret);
    for (const opaque of opaqueIn(value)) add(opaque);
  }
  for (const [name, value = ''] of Object.entries(env)) {
    for (const secret of secretsOf(value)) add(secret);
    if (PASSWORD_VARIABLES.includes(name)) {
      for (const password of passwordOf(value)) found.add(password);
    }
    if (SECRET_VARIABLE.test(name) && !/[\s/]/.test(value)) add(value);
    if (SETTING_VARIABLE.test(name)) for (const opaque of opaqueIn(value)) add(opaque);
  }
  return [...found].map((text) => new Secret(text));
}

/** As it is, and without the line end that a file of it may have had. */
function passwordOf(value: string): readonly string[] {
  return [value, value.trim()].filter(
    (each) => each.length >= SHORTEST_PASSWORD && !KNOWN_PASSWORD.test(each),
  );
}

function secretsOf(text: string): readonly string[] {
  if (text.length < SHORTEST) return [];
  return [
    ...jwtsIn(text),
    ...clientSecretsIn(text),
    ...passwordsInConnectionString(text).flatMap(decoded),
    ...[...text.matchAll(PRIVATE_KEY)].map(([, body = '']) => body.replaceAll(/\s+/g, '')),
    ...text.split(/[\r\n]+/).flatMap(passwordOfLine),
  ];
}

/** As it is written in a URL, and decoded. */
function decoded(password: string): readonly string[] {
  try {
    return [password, decodeURIComponent(password)];
  } catch {
    return [password];
  }
}

/** As it is written in a passfile, and unescaped. Other lists with colons have no port in second place. */
function passwordOfLine(line: string): readonly string[] {
  if (!/^[^:]+:(?:\d{1,5}|\*|):/.test(line)) return [];
  const password = splitFields(line).slice(4).join(':');
  return [password, unescapeText(password)];
}

/** The whole setting, or words in it, if they are opaque. */
function opaqueIn(value: string): readonly string[] {
  return [value, ...value.slice(0, LONGEST_SEARCHED).split(/[\s:;,=@/?&'"\\]+/)].filter(isOpaque);
}

/** Whether the characters look random: capitals, small letters and digits in disorder. */
function isOpaque(text: string): boolean {
  if (text.length < SHORTEST || text.length > 1_024 || !/^[\w~+/=.!@#%^&-]+$/.test(text))
    return false;
  if (text.startsWith('/') || text.includes('://')) return false;
  if (!/[A-Z]/.test(text) || !/[a-z]/.test(text) || !/\d/.test(text)) return false;
  const kinds = [...text].map(kindOf);
  const changes = kinds.filter((kind, at) => at > 0 && kind !== kinds[at - 1]).length;
  return changes > 0.45 * text.length;
}

function kindOf(character: string): 'capital' | 'small' | 'digit' | 'other' {
  if (/[A-Z]/.test(character)) return 'capital';
  if (/[a-z]/.test(character)) return 'small';
  return /\d/.test(character) ? 'digit' : 'other';
}
