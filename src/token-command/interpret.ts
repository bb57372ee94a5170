import {
  type AccessToken,
  LONGEST_LIFE_SECONDS,
  LONGEST_TOKEN,
  LONGEST_TOKEN_JSON,
} from '../support/access-token.ts';
import { PgpassdError } from '../support/errors.ts';
import { decodeJwtClaims, isRecord } from '../support/jwt.ts';
import { Secret } from '../support/secret.ts';
import { lifeOf, ourClock, type StatedLife } from '../support/token-life.ts';

export interface OutputContext {
  /** Wall clock when the command was started: from there an AccessToken's life is counted. */
  readonly nowMs: number;
  /** The life of a token that does not tell its own: `--token-lifetime`. */
  readonly fallbackLifetimeSeconds: number | undefined;
}

type Fields = Readonly<Record<string, unknown>>;

const TOKEN_FIELDS = ['access_token', 'accessToken', 'token'];
const EXPIRY_FIELDS = ['expires_on', 'expiresOn', 'expirationTimestamp'];

/** No bare token begins like this; `null` is what jq prints for a field that is not there. */
const LOOKS_LIKE_JSON = /^(?:[{["]|null$)/;

/** A date and time with a zone: RFC 3339 section 5.6, with its space in place of the `T`. */
const RFC_3339 = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d))$/;

/**
 * What a token command printed. Either one line, the bare token, or a JSON object:
 *
 *     {"access_token": "…", "expires_in": 3599}
 *     {"accessToken": "…", "expiresOn": "2026-11-24 13:00:00.000000", "expires_on": 1795521600}
 *     {"kind": "ExecCredential", "status": {"token": "…", "expirationTimestamp": "2026-11-24T12:14:00Z"}}
 *
 * These are OAuth's own, `az account get-access-token` and `aws eks get-token`. Of all that is stated of
 * the life, the `exp` of a JWT included, the least holds: see `lifeOf`. A time without a zone, such as
 * az's `expiresOn`, states nothing. The fallback is for a token of which nothing is stated.
 *
 * No piece of the output goes into an error.
 *
 * @throws PgpassdError `token-command.bad-output`
 */
export function interpretOutput(stdout: string, context: OutputContext): AccessToken {
  const text = stdout.trim();
  if (text === '') throw badOutput('it is empty');
  const fields = LOOKS_LIKE_JSON.test(text) ? fieldsOf(text) : { token: onlyLineOf(text) };
  const token = tokenOf(fields);
  const stated = statedLife(fields, token);
  const clock = ourClock(context.nowMs);
  const assumed = () => ({
    ...stated,
    expiresInSeconds: fallbackLifeSeconds(fields, context.fallbackLifetimeSeconds),
  });
  const life = lifeOf(stated, clock) ?? lifeOf(assumed(), clock);
  if (typeof life !== 'object') throw badOutput(`the token ${life}`, CHECK_CLOCK);
  if (life.expiresInSeconds > LONGEST_LIFE_SECONDS) {
    throw badOutput('the token claims a life of more than a year', PRINT_SECONDS);
  }
  return { token: new Secret(token), ...life };
}

function fieldsOf(text: string): Fields {
  if (text.length > LONGEST_TOKEN_JSON) throw badOutput('it is far longer than a token in JSON');
  const body = parseJson(text);
  if (!isRecord(body)) throw badOutput('it is neither a bare token nor a JSON object');
  const status = isRecord(body['status']) ? body['status'] : {};
  // These alone: an object can have a hundred thousand others.
  const names = ['expires_in', ...TOKEN_FIELDS, ...EXPIRY_FIELDS];
  return Object.fromEntries(names.map((name) => [name, body[name] ?? status[name]]));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function onlyLineOf(text: string): string {
  if (/[\r\n]/.test(text)) throw badOutput('it is more than one line');
  return text;
}

function tokenOf(fields: Fields): string {
  const token = firstOf(fields, TOKEN_FIELDS);
  if (token === undefined) throw badOutput('the JSON object holds no token');
  if (typeof token !== 'string' || !new Secret(token).isPrintable()) {
    throw badOutput('the token is not printable ASCII without blanks');
  }
  if (token.length > LONGEST_TOKEN) {
    throw badOutput('the token is longer than the 64 KiB that PostgreSQL takes for a password');
  }
  return token;
}

function statedLife(fields: Fields, token: string): StatedLife {
  return {
    expiresInSeconds: numberOf(fields['expires_in']),
    endsAtMs: EXPIRY_FIELDS.map((name) => momentMs(fields[name])).filter(
      (each) => each !== undefined,
    ),
    claims: decodeJwtClaims(token),
  };
}

/** A life that is told but not understood is not to be replaced by a guess. */
function fallbackLifeSeconds(fields: Fields, lifetimeSeconds: number | undefined): number {
  if (firstOf(fields, ['expires_in', ...EXPIRY_FIELDS]) !== undefined) {
    throw badOutput(
      'the time of expiry is neither in seconds nor in RFC 3339 with a zone',
      PRINT_SECONDS,
    );
  }
  if (lifetimeSeconds === undefined) {
    throw badOutput(
      'the token does not tell how long it lives',
      'Say it with --token-lifetime (RDS tokens: 15m), or let --token-command print JSON with expires_in.',
    );
  }
  return lifetimeSeconds;
}

/** Seconds since the epoch, or RFC 3339, in milliseconds. */
function momentMs(value: unknown): number | undefined {
  const seconds = numberOf(value);
  if (seconds !== undefined) return seconds * 1000;
  const [, date, time] = (typeof value === 'string' && RFC_3339.exec(value)) || [];
  const parsedMs = Date.parse(`${date}T${time?.toUpperCase()}`);
  return Number.isNaN(parsedMs) ? undefined : parsedMs;
}

/** Azure's metadata services print numbers as strings. */
function numberOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

function firstOf(fields: Fields, names: readonly string[]): unknown {
  return names.map((name) => fields[name] ?? undefined).find(isTold);
}

function isTold(value: unknown): boolean {
  return value !== undefined;
}

const PRINT_TOKEN =
  'Let --token-command print the token alone on one line (az: --output tsv), or JSON with access_token and expires_in.';
const PRINT_SECONDS =
  'Let --token-command print expires_in in seconds, or expires_on in seconds since 1970.';
const CHECK_CLOCK =
  'Check that this clock is right and that --token-command does not print a token from a cache.';

function badOutput(what: string, remedy = PRINT_TOKEN): PgpassdError {
  return new PgpassdError(
    'token-command.bad-output',
    `the output of the token command cannot be used: ${what}`,
    remedy,
  );
}
