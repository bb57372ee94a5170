import type { PgpassdError } from '../support/errors.ts';
import type { Failure } from '../support/failure.ts';

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
