import type { Nature } from '../support/errors.ts';
import { inWords, type Meaning, type Verdict } from './meaning.ts';
import type { RefusedIdentity, Remedy } from './remedies.ts';
import * as say from './remedies.ts';

interface Row extends Verdict {
  readonly codes: readonly number[];
}

const rowOf =
  (nature: Nature) =>
  (remedy: Remedy, ...codes: readonly [number, ...number[]]): Row => ({ nature, remedy, codes });

const transient = rowOf('transient');
const propagating = rowOf('propagating');
const operator = rowOf('operator');
const ours = rowOf('ours');

/**
 * What the AADSTS codes mean for a client that has a federated token. Entra's status and `error`
 * decide what a failure is, since codes may change; a code only chooses the words and how patiently
 * it is asked again: https://learn.microsoft.com/entra/identity-platform/reference-error-codes
 */
const rows: readonly Row[] = [
  // The federated credential and the federated token do not agree.
  propagating(say.matchIssuer, 700211),
  propagating(say.matchSubject, 700213),
  operator(say.matchAudience, 700212),
  propagating(say.matchAll, 70021),
  operator(say.matchCase, 7002138, 7002131),
  propagating(say.addCredential, 70025),
  operator(say.allowIssuer, 700223, 700238, 7002381),

  // The federated token itself is not accepted.
  operator(say.realAssertion, 50027, 700222, 700229),
  operator(say.shorterAssertion, 70023),
  operator(say.unexpiredAssertion, 700024),
  operator(say.notACertificate, 700027, 50012),
  operator(say.noSecret, 7000215, 7000222),

  // Entra reads the issuer's signing keys.
  propagating(say.publishKeys, 7000272),
  operator(say.mendKeys, 900612),
  transient(say.reachIssuer, 90061, 50166),

  // The identity.
  propagating(say.checkClient, 700016),
  operator(say.checkClient, 700011, 70001),
  operator(say.createPrincipal, 7000229),
  operator(say.enableApplication, 7000112),
  operator(say.confidentialClient, 700025),

  // The tenant and its cloud.
  operator(say.checkTenant, 90002, 900021, 900023),
  ours(say.nameTenant, 90019, 50059, 50128),
  operator(say.otherCloud, 90038, 900382, 900432),
  operator(say.globalHost, 100007),

  // The resource.
  operator(say.findResource, 500011, 50001, 650052, 650057),
  operator(say.checkScope, 70011, 1002012, 28002, 700022, 700023),
  operator(say.consent, 65001, 90094),
  operator(say.assignIdentity, 501051, 50105),

  // Policies.
  operator(say.conditionalAccess, 530032, 530034, 530035, ...range(53000, 53011)),
  operator(say.tenantRestrictions, 500021, 500022, 500212, 500213),

  // Entra is asked too often, or is in trouble.
  transient(say.slowDown, 50196, 90055),
  transient(say.waitForEntra, 90033, 90006, 90012, 90024, 90090, 90091, 50033, 50000),
  operator(say.supportCase, 90036, 90092),

  // The request: made by pgpassd, bent by a setting, or on its way.
  ours(say.fitRequest, 7000218, 900144, 9002313),
  ours(say.noResource, 901002),
  ours(say.keepPost, 900561),

  // Answers to certificates, to users' assertions, to browsers and to users' passwords.
  ours(say.foreignAnswer, 700030, 500133, 50013, 900971, 50126, 50034, 50076, 50079, 50053),
];

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

const verdicts = new Map<number, Verdict>(
  rows.flatMap((row) => row.codes.map((code) => [code, row] as const)),
);

/** Every code that has a row, ascending. */
export const documentedCodes: readonly number[] = rows
  .flatMap(({ codes }) => codes)
  .toSorted((a, b) => a - b);

/** What an AADSTS code means for this identity; `undefined` for a code that we do not know. */
export function meaningOf(
  code: number | undefined,
  identity: RefusedIdentity,
): Meaning | undefined {
  const verdict = code === undefined ? undefined : verdicts.get(code);
  return verdict && inWords(verdict, identity);
}
