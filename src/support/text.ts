import { redactJwts, type Secret } from './secret.ts';

/** Control characters, direction marks, lone surrogates, line and paragraph separators. */
export const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/u;

const EVERY_UNPRINTABLE = new RegExp(UNPRINTABLE, 'gu');

/** The same and U+FFFD, which may already have replaced one: inside a secret they would hide it from redaction. */
export const HIDING = /[\p{C}\p{Zl}\p{Zp}\ufffd]/u;

const EVERY_HIDING = new RegExp(HIDING, 'gu');

/** `text` with U+FFFD for each character that would control a terminal or be invisible. */
export function replaceUnprintable(text: string): string {
  return text.replaceAll(EVERY_UNPRINTABLE, '\ufffd');
}

/** Several times two sentences with what they quote. */
const LONGEST_SENTENCE = 4_000;

/**
 * Makes a text that quotes settings, claims or responses safe to show: one printable line of bounded
 * length, without a piece of `secrets` or of any JWT. Everything that goes to the log, to standard
 * error or into a report passes through here.
 */
export function sanitize(
  text: string,
  secrets: readonly Secret[] = [],
  longest = LONGEST_SENTENCE,
): string {
  const start = text.slice(0, longest);
  // An unprintable character in the middle of a secret would hide it from redaction.
  const bare = start.replaceAll(EVERY_HIDING, '');
  const clean = redactJwts(redactSecrets(bare, secrets));
  const shown = clean === bare ? replaceUnprintable(start) : clean;
  return start === text ? shown : `${shown}…`;
}

/** The name of a program, safe to show even if it is a whole command line with passwords by mistake. */
export function programName(text: string): string {
  const [name = ''] = text.split(/[\s='"]|:\/\//, 1);
  return name === text ? sanitizeValue(text) : `${sanitizeValue(name)}…`;
}

const LONGEST_VALUE = 300;

/** Like `sanitize`, for a single unverified value, such as a token's claim. */
export function sanitizeValue(text: string): string {
  return sanitize(text, [], LONGEST_VALUE);
}

/** A token's claim, safe to show: its strings, printable and of bounded length. */
export function showClaim(claim: unknown): string {
  const texts = [claim].flat().filter((each) => typeof each === 'string');
  return texts.length === 0 ? 'not stated' : sanitizeValue(texts.join(', '));
}

/** `text` without a piece of any of `secrets`. */
export function redactSecrets(text: string, secrets: readonly Secret[]): string {
  return secrets.reduce((clean, secret) => secret.redactFrom(clean), text);
}

/** A length of time for people: in seconds up to two minutes, in minutes up to two hours, then in hours. */
export function duration(ms: number): string {
  if (ms < 120_000) return `${seconds(ms)} s`;
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 360_000) / 10} h`;
}

/** Milliseconds as seconds, to the tenth. */
export function seconds(ms: number): number {
  return Math.round(ms / 100) / 10;
}

/** The form of Entra's ids of tenants, clients, objects and requests. */
export const GUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;
