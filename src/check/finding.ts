import type { PgpassdError } from '../support/errors.ts';
import type { Failure } from '../support/failure.ts';

/** What is looked at, in this order: a cause comes before what it brings about. */
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
      /** As it should be; or not looked at, and why. */
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

/** What to start with: what is looked at first can bring about what is looked at later. */
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

/** What an attempt at the real thing ended with. */
export function failed(step: Step, error: PgpassdError): Finding {
  const { message, remedy, code, details, isReportable } = error;
  const { aadsts, correlationId } = details;
  const isAsked = isReportable && correlationId !== undefined;
  const found = isAsked ? `${message} (correlation id ${correlationId})` : message;
  return wrong(step, { id: aadsts ?? code, code, found, remedy });
}

/** Each of them once. */
export function distinct(findings: readonly Finding[]): readonly Finding[] {
  return [...new Map(findings.map((finding) => [finding.found, finding])).values()];
}

/** Of findings that are all alike a few are enough. */
const ENOUGH = 4;

/** The first of them, and how many `others` there are. */
export function few(findings: readonly Finding[], others: string): readonly Finding[] {
  const [first] = findings;
  const more = findings.length - ENOUGH;
  return first === undefined || more <= 0
    ? findings
    : [...findings.slice(0, ENOUGH), skipped(first.step, `${more} ${others}`)];
}
