import { type Secret, withoutJwts } from './secret.ts';

/** Control characters, marks that turn the direction of writing, half characters, ends of lines. */
export const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/u;

const EVERY_UNPRINTABLE = new RegExp(UNPRINTABLE, 'gu');

/** The same, and what stands for it where it was replaced already: in a secret it would hide that. */
export const HIDING = /[\p{C}\p{Zl}\p{Zp}\ufffd]/u;

const EVERY_HIDING = new RegExp(HIDING, 'gu');

/** `text` without what would steer a terminal or hide itself. */
export function printable(text: string): string {
  return text.replaceAll(EVERY_UNPRINTABLE, '\ufffd');
}

/** Two sentences with what they quote, several times over. */
const LONGEST_SENTENCE = 4_000;

/**
 * What may be shown of a text that quotes settings, claims or answers: one printable line of bounded
 * length, without a piece of `secrets` or of any JWT. Everything that goes to the log, to standard
 * error or into a report passes through here.
 */
export function presentable(
  text: string,
  secrets: readonly Secret[] = [],
  longest = LONGEST_SENTENCE,
): string {
  const start = text.slice(0, longest);
  // What is unprintable could stand in the middle of a secret, and hide it.
  const bare = start.replaceAll(EVERY_HIDING, '');
  const clean = withoutJwts(withoutSecrets(bare, secrets));
  const shown = clean === bare ? printable(start) : clean;
  return start === text ? shown : `${shown}…`;
}

/** The name of a program, which may be a whole command line with its passwords by mistake. */
export function programName(text: string): string {
  const [name = ''] = text.split(/[\s='"]|:\/\//, 1);
  return name === text ? boundedText(text) : `${boundedText(name)}…`;
}

const LONGEST_VALUE = 300;

/** The same for a single value that others wrote and nobody verified, such as a token's claim. */
export function boundedText(text: string): string {
  return presentable(text, [], LONGEST_VALUE);
}

/** A token's claim as it may be shown: its texts, printable and of bounded length. */
export function showClaim(claim: unknown): string {
  const texts = [claim].flat().filter((each) => typeof each === 'string');
  return texts.length === 0 ? 'not stated' : boundedText(texts.join(', '));
}

/** `text` without a piece of any of `secrets`. */
export function withoutSecrets(text: string, secrets: readonly Secret[]): string {
  return secrets.reduce((clean, secret) => secret.redactFrom(clean), text);
}

/** A length of time as a person says it: seconds up to two minutes, minutes up to two hours. */
export function duration(ms: number): string {
  if (ms < 120_000) return `${seconds(ms)} s`;
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 360_000) / 10} h`;
}

/** To the tenth. */
export function seconds(ms: number): number {
  return Math.round(ms / 100) / 10;
}

/** Where something listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** As an operator writes it, with an IPv6 address in brackets. */
export function formatAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether who listens at this host listens at every address of the machine. */
export function meansEveryAddress(host: string): boolean {
  return ['', '0.0.0.0', '::'].includes(host);
}

/** A number from 1 to 65535. */
export function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;
}

/** As Entra writes the ids of tenants, clients, objects and requests. */
export const GUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;
