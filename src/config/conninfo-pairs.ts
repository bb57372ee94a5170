import { type ConnectionParameters, storeParameter } from './conninfo-parameters.ts';
import { ValueError } from './values.ts';

/** A part of the string, and where reading goes on. */
interface Taken {
  readonly text: string;
  readonly end: number;
}

/**
 * Reads `host=… user='…'` as `conninfo_parse` in fe-connect.c does: blanks may stand around `=`, a
 * value runs up to a blank or stands between single quotes, and a backslash escapes any character.
 * So `host= user=me` has a host called `user=me`, and none is needed after a closing quote.
 *
 * libpq refuses keywords it does not know. Here they are ignored: they are other drivers', such as
 * `pgbouncer=true`, and say nothing about whom the password is for.
 */
export function parsePairs(text: string): ConnectionParameters {
  const parameters = new Map<string, string>();
  let at = skipBlanks(text, 0);
  while (at < text.length) {
    const keyword = takeKeyword(text, at);
    const value = takeValue(text, skipBlanks(text, keyword.end));
    storeParameter(parameters, keyword.text, value.text);
    at = skipBlanks(text, value.end);
  }
  return parameters;
}

/** The keyword that starts here, with its `=`. */
function takeKeyword(text: string, start: number): Taken {
  const end = skipWhile(text, start, (character) => character !== '=' && !isBlank(character));
  const equals = skipBlanks(text, end);
  if (text[equals] !== '=') {
    throw new ValueError('a keyword of the connection string has no = behind it');
  }
  return { text: text.slice(start, end), end: equals + 1 };
}

function takeValue(text: string, start: number): Taken {
  if (text[start] !== "'") {
    const end = skipEscaped(text, start, isBlank);
    return { text: unescapeValue(text.slice(start, end)), end };
  }
  const end = skipEscaped(text, start + 1, (character) => character === "'");
  if (end === text.length) {
    throw new ValueError('a quote in the connection string is not closed');
  }
  return { text: unescapeValue(text.slice(start + 1, end)), end: end + 1 };
}

/** Where the first character stands that ends a value and has no backslash before it. */
function skipEscaped(text: string, start: number, ends: (character: string) => boolean): number {
  let at = start;
  while (at < text.length && !ends(text.charAt(at))) at += text[at] === '\\' ? 2 : 1;
  return Math.min(at, text.length);
}

/** Unlike in a passfile, a backslash at the very end stands for nothing. */
function unescapeValue(text: string): string {
  return text.replaceAll(/\\(.?)/gsu, '$1');
}

function skipBlanks(text: string, start: number): number {
  return skipWhile(text, start, isBlank);
}

function skipWhile(text: string, start: number, holds: (character: string) => boolean): number {
  let at = start;
  while (at < text.length && holds(text.charAt(at))) at += 1;
  return at;
}

/** What C's `isspace` says; JavaScript's `\s` knows more. */
const BLANKS = new Set(' \t\n\v\f\r');

function isBlank(character: string): boolean {
  return BLANKS.has(character);
}
