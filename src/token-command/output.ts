import {
  type AccessToken,
  LONGEST_LIFE_MS,
  LONGEST_TOKEN,
  LONGEST_TOKEN_JSON,
  lifeOf,
  ourClock,
  type StatedLife,
} from '../support/access-token.ts';
import type { Instant } from '../support/clock.ts';
import { errorOf, failure, type Values } from '../support/errors.ts';
import { decodeJwtClaims, isRecord } from '../support/jwt.ts';
import { Secret } from '../support/secret.ts';

export interface OutputContext {
  /** When the command was started: the life of the token is counted from there. */
  readonly askedAt: Instant;
  /** The life of a token that does not state its own: `--token-lifetime`. */
  readonly fallbackLifetimeMs: number | undefined;
}

const badOutput = <Name extends string = never>(
  id: string,
  describe: (values: Values<Name>) => string,
  remedy: string,
) =>
  failure<Name>(id, 'token-command.bad-output', (values) => ({
    found: `the output of the token command cannot be used: ${describe(values)}`,
    remedy,
  }));

export const outputUnusable = badOutput<'problem'>(
  'token-command-output',
  ({ problem }) => `${problem}`,
  'Make the command of --token-command print only the token, on one line (az: --output tsv), or JSON with access_token and expires_in.',
);

export const lifeUnreadable = badOutput<'problem'>(
  'token-command-expiry',
  ({ problem }) => `the token's lifetime is ${problem}`,
  'Make the command of --token-command print expires_in in seconds, or expires_on in seconds since 1970.',
);

export const lifeUnstated = badOutput(
  'token-command-lifetime',
  () => 'neither the output nor the token says when it expires',
  'Set --token-lifetime (RDS tokens: 15m), or make the command of --token-command print JSON with expires_in.',
);

export const lifeOver = badOutput<'problem'>(
  'token-command-stale-token',
  ({ problem }) => `the token ${problem}`,
  'Check that the clock of this machine is correct, and that the command of --token-command does not print a cached token.',
);

type Fields = Readonly<Record<string, unknown>>;

const TOKEN_FIELDS = ['access_token', 'accessToken', 'token'];
const EXPIRY_FIELDS = ['expires_on', 'expiresOn', 'expirationTimestamp'];

/** No bare token begins like this; jq prints `null` for a field that is absent. */
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
 * These are OAuth's own, `az account get-access-token` and `aws eks get-token`. The shortest of the
 * stated lives holds, including the `exp` of a JWT: see `lifeOf`. A time without a zone, such as az's
 * `expiresOn`, is ignored. The fallback is for a token without a stated life.
 *
 * No piece of the output goes into an error.
 *
 * @throws PgpassdError `token-command.bad-output`
 */
export function interpretOutput(stdout: string, context: OutputContext): AccessToken {
  const text = stdout.trim();
  if (text === '') throw unusable('it is empty');
  const fields = LOOKS_LIKE_JSON.test(text) ? fieldsOf(text) : { token: onlyLineOf(text) };
  const token = tokenOf(fields);
  const stated = statedLife(fields, token);
  const { askedAt, fallbackLifetimeMs } = context;
  const clock = ourClock(askedAt.wallMs);
  const assumed = () => ({ ...stated, expiresInMs: fallbackLifeMs(fields, fallbackLifetimeMs) });
  const life = lifeOf(stated, clock, askedAt) ?? lifeOf(assumed(), clock, askedAt);
  if (typeof life !== 'object') throw errorOf(lifeOver({ problem: String(life) }));
  if (life.delayMs > LONGEST_LIFE_MS) {
    throw errorOf(lifeUnreadable({ problem: 'more than a year' }));
  }
  return { token: new Secret(token), life };
}

function fieldsOf(text: string): Fields {
  if (text.length > LONGEST_TOKEN_JSON) throw unusable('it is far longer than a token in JSON');
  const body = parseJson(text);
  if (!isRecord(body)) throw unusable('it is neither a bare token nor a JSON object');
  const status = isRecord(body['status']) ? body['status'] : {};
  // Only these: an object can have a hundred thousand others.
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
  if (/[\r\n]/.test(text)) throw unusable('it is more than one line');
  return text;
}

function tokenOf(fields: Fields): string {
  const token = firstOf(fields, TOKEN_FIELDS);
  if (token === undefined) throw unusable('the JSON object holds no token');
  if (typeof token !== 'string' || !new Secret(token).isPrintable()) {
    throw unusable('the token is not printable ASCII without blanks');
  }
  if (token.length > LONGEST_TOKEN) {
    throw unusable('the token is longer than the 64 KiB that PostgreSQL takes for a password');
  }
  return token;
}

function statedLife(fields: Fields, token: string): StatedLife {
  const expiresInSeconds = numberOf(fields['expires_in']);
  return {
    expiresInMs: expiresInSeconds && expiresInSeconds * 1000,
    endsAtMs: EXPIRY_FIELDS.map((name) => momentMs(fields[name])).filter(
      (each) => each !== undefined,
    ),
    claims: decodeJwtClaims(token),
  };
}

/** A life that is stated but not understood must not be replaced by a guess. */
function fallbackLifeMs(fields: Fields, lifetimeMs: number | undefined): number {
  if (firstOf(fields, ['expires_in', ...EXPIRY_FIELDS]) !== undefined) {
    throw errorOf(
      lifeUnreadable({ problem: 'stated neither in seconds nor in RFC 3339 with a zone' }),
    );
  }
  if (lifetimeMs === undefined) {
    throw errorOf(lifeUnstated());
  }
  return lifetimeMs;
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
  return names.map((name) => fields[name] ?? undefined).find((value) => value !== undefined);
}

function unusable(problem: string): Error {
  return errorOf(outputUnusable({ problem }));
}
