import { splitFields, unescapeText } from '../passfile/format.ts';
import { clientSecretsIn, jwtsIn, Secret, SHORTEST_PASSWORD } from '../support/secret.ts';
import type { Environment } from './given.ts';
import { passwordsIn } from './misplaced.ts';

/** What is shorter is found in words that are no secret, too, and would be cut out of them. */
const SHORTEST = 16;

/** No setting but a list is longer, and a list holds nothing that is opaque. */
const LONGEST_SEARCHED = 8_192;

/** Variables that hold a password or the like, whatever it is made of: all of the value is one. */
const PASSWORD_VARIABLES: readonly string[] = [
  'AZURE_CLIENT_CERTIFICATE_PASSWORD',
  'AZURE_CLIENT_SECRET',
  'PGPASSWORD',
];

/** The name of the server stands in every text, and is no secret as a password either. */
const KNOWN_PASSWORD = /^postgres(?:ql)?$/;

/** Other variables that hold nothing but a secret, by their names. */
const SECRET_VARIABLE = /(?:PASSWORD|_SECRET|_TOKEN)$/;

/** Those that hold settings, of ours or of what we work with: what may be quoted is from these. */
const SETTING_VARIABLE = /^(?:PG|AZURE_)/;

const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----([^-]*)/g;

/**
 * Every secret on a command line and in an environment, wherever it stands: what must not be printed,
 * even where it was written in the place of something else that is.
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

/** As it is, and without the line's end that a file of it may have had. */
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
    ...passwordsIn(text).flatMap(decoded),
    ...[...text.matchAll(PRIVATE_KEY)].map(([, body = '']) => body.replaceAll(/\s+/g, '')),
    ...text.split(/[\r\n]+/).flatMap(passwordOfLine),
  ];
}

/** As it is written in a URL, and as it is meant. */
function decoded(password: string): readonly string[] {
  try {
    return [password, decodeURIComponent(password)];
  } catch {
    return [password];
  }
}

/** As it is written in a passfile, and as it is meant. Other lists with colons have no port in second place. */
function passwordOfLine(line: string): readonly string[] {
  if (!/^[^:]+:(?:\d{1,5}|\*|):/.test(line)) return [];
  const password = splitFields(line).slice(4).join(':');
  return [password, unescapeText(password)];
}

/** A setting as a whole, or one of the words in it. */
function opaqueIn(value: string): readonly string[] {
  return [value, ...value.slice(0, LONGEST_SEARCHED).split(/[\s:;,=@/?&'"\\]+/)].filter(isOpaque);
}

/** Of characters that are drawn by chance and not words: capitals, small letters and digits in disorder. */
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
