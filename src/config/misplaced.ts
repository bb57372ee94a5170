import { splitFields } from '../passfile/format.ts';
import { holdsClientSecret, holdsJwt } from '../support/secret.ts';
import type { Environment } from './given.ts';
import { ValueError } from './values.ts';

/** `-----BEGIN`, as it is or in base64. */
const PEM = /-----BEGIN|LS0tLS1CRUdJTi/;

/**
 * What a text is that is no setting but a secret, or holds one, in words; `undefined` when it may be
 * a setting. Somebody wrote it where something else belongs, and nobody is to read it there.
 */
function secretContent(text: string): string | undefined {
  if (holdsJwt(text)) return 'a token';
  if (PEM.test(text)) return 'a PEM block';
  if (holdsClientSecret(text)) return 'a client secret';
  if (isPassfileLine(text)) return 'a line of a passfile';
  return passwordsIn(text).length > 0 ? 'a connection string with its password' : undefined;
}

/** Five fields of which the second can be a port: other lists with colons are not so. */
function isPassfileLine(text: string): boolean {
  // A longer one is no line of a passfile either way.
  const fields = splitFields(text.slice(0, 2 * LONGEST_PATH));
  const [host = '', port = ''] = fields;
  return fields.length > 4 && host !== '' && /^(?:\d{1,5}|\*|)$/.test(port);
}

/** PATH_MAX of Linux, without the NUL at the end. */
const LONGEST_PATH = 4_095;

/** Bare words below this are short enough to be a name; a longer one may be a password. */
const LONGEST_BARE_NAME = 15;

/**
 * The path of a file.
 *
 * @throws ValueError when it is what the file should hold, or cannot be a path; it is not repeated
 */
export function parsePath(text: string): string {
  const content = secretContent(text) ?? otherContent(text);
  if (content !== undefined) {
    throw new ValueError(
      `this is the content, not its path: it reads like ${content}. Put it into a file, and name that`,
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
      'write the whole path, or ./ before a name: a bare word of this length might be a password',
    );
  }
  return text;
}

/** No secret, but no path either. */
function otherContent(text: string): string | undefined {
  if (/^\s*\{\s*"/.test(text)) return 'a JSON object';
  if (/^[a-z][a-z\d+.-]{0,20}:\/\//i.test(text)) return 'a URL or a connection string';
  if (/^\s*(?:host|hostaddr|port|dbname|user|service|sslmode)\s*=/.test(text)) {
    return 'a connection string';
  }
  // With its password or without: a path may have colons, but begins with a slash or a dot.
  if (/^[^/.]/.test(text) && splitFields(text).length > 3) return 'a line of a passfile';
  return /[\r\n]/.test(text) ? 'the lines of a file' : undefined;
}

const KEYWORD =
  /(?:password|passwd|pwd|secret|accesskey|assertion)\s*=\s*('[^']*'|"[^"]*"|[^\s;&]+)/gi;

/** The passwords of the URLs and connection strings in a text, as they are written there. */
export function passwordsIn(text: string): readonly string[] {
  const inPairs = [...text.matchAll(KEYWORD)].map(([, value = '']) =>
    value.replace(/^['"]|['"]$/g, ''),
  );
  return [...passwordsOfUrls(text), ...inPairs].filter((each) => each !== '');
}

/** `scheme://user:PASSWORD@host`: what stands up to the last `@` before the path. */
function passwordsOfUrls(text: string): readonly string[] {
  const [, ...afterSchemes] = text.split('://');
  return afterSchemes.map((rest) => {
    const [authority = ''] = rest.split(/[\s/?#]/, 1);
    const [, user = ''] = /^(.*)@/s.exec(authority) ?? [];
    const colon = user.indexOf(':');
    return colon < 0 ? '' : user.slice(colon + 1);
  });
}

/** Variables of Node's and libpq's that name a file or a directory, and are read beside our settings. */
const PATH_VARIABLES = [
  'AZURE_KUBERNETES_CA_FILE',
  'HOME',
  'NODE_EXTRA_CA_CERTS',
  'PGPASSFILE',
  'PGSERVICEFILE',
  'PGSSLROOTCERT',
  'PGSYSCONFDIR',
];

/** Variables of libpq's that `check` quotes. */
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

/** What is wrong with a variable that holds a secret or a file's content, which is not repeated. */
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

/** The variables of others that hold a secret or a file's content, each with what is wrong with it. */
export function everyMisplacedIn(env: Environment): ReadonlyMap<string, string> {
  const found = [...PATH_VARIABLES, ...TEXT_VARIABLES].map(
    (name) => [name, misplacedIn(name, env)] as const,
  );
  return new Map(found.filter((each): each is [string, string] => each[1] !== undefined));
}

/** The environment without them, for whoever quotes variables. */
export function withoutMisplaced(env: Environment): Environment {
  const misplaced = everyMisplacedIn(env);
  return Object.fromEntries(Object.entries(env).filter(([name]) => !misplaced.has(name)));
}

/** @throws ValueError when the text of a setting that is no secret holds one */
export function refuseSecret(text: string): void {
  const content = secretContent(text);
  if (content !== undefined) {
    throw new ValueError(
      `this reads like ${content}, and other things belong here: a secret is not safe in this place`,
    );
  }
}
