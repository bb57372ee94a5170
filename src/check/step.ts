import type { ConfigReading } from '../config/load.ts';
import type { Environment } from '../config/option.ts';
import type { Entry } from '../passfile/format.ts';
import { readTemplate } from '../passfile/layout.ts';
import { entryLinesOf, parseLines } from '../passfile/lookup.ts';
import type { Clock } from '../support/clock.ts';
import type { Failure, PgpassdError } from '../support/errors.ts';

/** What is examined, in this order: a cause comes before its effects. */
export const steps = [
  'settings',
  'federated token',
  'clocks',
  'network',
  'exchange',
  'access token',
  'passfile',
  'lookup',
  'overrides',
  'daemon',
  'login',
] as const;

export type Step = (typeof steps)[number];

/** One line of `check`: what was found, and what to do about it when it is wrong. */
export type Finding =
  | {
      readonly step: Step;
      /** As it should be; or not examined, with the reason. */
      readonly mark: 'ok' | 'skipped';
      readonly found: string;
    }
  | Wrong;

export interface Wrong extends Omit<Failure, 'id'> {
  readonly step: Step;
  readonly mark: 'wrong';
  /** What programs know it by: the id of a failure, an AADSTS code, or an error's code. */
  readonly cause: string;
}

export function isWrong(finding: Finding): finding is Wrong {
  return finding.mark === 'wrong';
}

/** The finding to start with: earlier steps can cause what later steps find. */
export function firstWrong(findings: readonly Finding[]): Wrong | undefined {
  return findings.find(isWrong);
}

export function ok(step: Step, found: string): Finding {
  return { step, mark: 'ok', found };
}

export function skipped(step: Step, why: string): Finding {
  return { step, mark: 'skipped', found: why };
}

export function wrong(step: Step, { id, code, found, remedy }: Failure): Finding {
  return { step, mark: 'wrong', found, remedy, cause: id, code };
}

/** The error that a stage of the daemon ended with. */
export function failed(step: Step, error: PgpassdError): Finding {
  const { message, remedy, code, details, isReportable } = error;
  const { aadsts, correlationId } = details;
  const isAsked = isReportable && correlationId !== undefined;
  const found = isAsked ? `${message} (correlation id ${correlationId})` : message;
  return wrong(step, { id: aadsts ?? code, code, found, remedy });
}

/** Each sentence once. */
export function distinct(findings: readonly Finding[]): readonly Finding[] {
  return [...new Map(findings.map((finding) => [finding.found, finding])).values()];
}

/** How many findings of one kind are shown. */
const MOST_ALIKE = 4;

/** The first few, followed by the number of the others, which `others` names. */
export function truncate(findings: readonly Finding[], others: string): readonly Finding[] {
  const [first] = findings;
  const more = findings.length - MOST_ALIKE;
  return first === undefined || more <= 0
    ? findings
    : [...findings.slice(0, MOST_ALIKE), skipped(first.step, `${more} ${others}`)];
}

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
 * The webhook gives every container of the pod the identity, unless an annotation skips one; only
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
