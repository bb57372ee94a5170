import type { ConfigReading } from '../config/load.ts';
import type { Environment } from '../config/option.ts';
import type { Entry } from '../passfile/format.ts';
import { readTemplate } from '../passfile/layout.ts';
import { entryLinesOf, parseLines } from '../passfile/lookup.ts';
import type { Clock } from '../support/clock.ts';

/** What `check` examines, and with what. */
export interface CheckContext {
  readonly reading: ConfigReading;
  readonly env: Environment;
  readonly clock: Clock;
  /** Aborts when the process is asked to stop. */
  readonly signal: AbortSignal;
  /** The user that this process runs as; `undefined` where users have no numbers. */
  readonly uid: number | undefined;
}

/** Whose container this is: pgpassd's, or that of a client that reads the passfile. */
export type Side = 'daemon' | 'client';

/** The default of `--request-timeout`, for when that could not be read. */
const DEFAULT_TIMEOUT_MS = 10_000;

/** How long one attempt at something may take. */
export function timeoutMsOf({ reading }: CheckContext): number {
  return reading.values.requestTimeoutMs ?? DEFAULT_TIMEOUT_MS;
}

/**
 * The webhook gives every container of the pod the identity, unless it is told to skip one; only
 * pgpassd has entries, too. A container that lacks either, and has a passfile or a pgpassd running
 * beside it, is that of an application.
 */
export function sideOf(context: CheckContext, pgpassdIsHere: boolean): Side {
  const { config, values } = context.reading;
  const hasIdentity = namesIdentity(context);
  const hasEntries = namesEntries(context);
  if (config !== undefined || (hasIdentity && hasEntries)) return 'daemon';
  const namesOnlyPassfile = !hasIdentity && !hasEntries && values.passfile !== undefined;
  return pgpassdIsHere || namesOnlyPassfile ? 'client' : 'daemon';
}

/** Whether settings of pgpassd's own name entries: an application may have libpq's variables, too. */
export function namesEntries({ reading: { values } }: CheckContext): boolean {
  return values.entry?.length !== 0 || values.template !== undefined;
}

/** Whether a setting says how to get a token. */
export function namesIdentity({ reading: { values } }: CheckContext): boolean {
  const { tenantId, clientId, federatedTokenFile, tokenCommand } = values;
  return [tenantId, clientId, federatedTokenFile, tokenCommand].some(
    (value) => value !== undefined,
  );
}

/** The entries that the passfile should have a line for, as far as this container knows. */
export async function wantedEntries(context: CheckContext): Promise<readonly Entry[]> {
  const { reading, env } = context;
  const { template } = reading.values;
  if (template !== undefined) return await entriesInTemplate(template);
  // A service takes precedence over libpq's variables, which are all that is left otherwise.
  return env['PGSERVICE'] && !namesEntries(context) ? [] : reading.entries;
}

/** None when the template cannot be read: the settings step reports that. */
async function entriesInTemplate(template: string): Promise<readonly Entry[]> {
  const bytes = await readTemplate(template).catch(() => Buffer.alloc(0));
  return entryLinesOf(parseLines(bytes.toString()))
    .filter(({ facts }) => facts.kind === 'placeholder')
    .map(({ entry }) => entry);
}
