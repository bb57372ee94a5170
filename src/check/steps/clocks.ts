import type { FederatedToken } from '../../federated-token/federated-token.ts';
import { failure } from '../../support/errors.ts';
import { numericDateMs } from '../../support/jwt.ts';
import { duration } from '../../support/text.ts';
import { type CheckContext, type Finding, ok, skipped, wrong } from '../step.ts';

export const clockOff = failure<'seconds' | 'direction' | 'host'>(
  'clock-off',
  'clock.wrong',
  ({ seconds, direction, host }) => ({
    found: `the clock of this node is ${seconds} s ${direction} the clock of ${host}`,
    remedy:
      'Set the clock of the node, which all its pods share, and check that NTP keeps it right (timedatectl, chronyc tracking).',
  }),
);

export const issuerClockAhead = failure<'seconds' | 'host'>(
  'issuer-clock-ahead',
  'clock.wrong',
  ({ seconds, host }) => ({
    found: `the federated token will only become valid in ${seconds} s, by the clocks of this node and of ${host}: the clock of the cluster's API server is ahead`,
    remedy:
      'Set the clocks of the control plane, and check that NTP keeps them right (timedatectl, chronyc tracking).',
  }),
);

export const tokenFromTheFuture = failure<'seconds'>(
  'token-from-the-future',
  'clock.wrong',
  ({ seconds }) => ({
    found: `the federated token will only become valid in ${seconds} s by the clock of this node: either that clock is behind, or the clock of the cluster's API server is ahead`,
    remedy:
      'Compare the clock of the node with the correct time, set the clock that is wrong, and check that NTP keeps both right (timedatectl, chronyc tracking).',
  }),
);

/** The clock of the server that answers token requests. */
export interface AuthorityClock {
  readonly host: string;
  /** How far it is ahead of ours; negative when it is behind. */
  readonly leadMs: number;
}

/** The difference that Entra tolerates between its clock and that of a token's issuer. */
const TOLERANCE_MS = 300_000;

/** Whether the two differ by more than Entra tolerates. */
export function isOff({ leadMs }: AuthorityClock): boolean {
  return Math.abs(leadMs) > TOLERANCE_MS;
}

/** Whether this clock agrees with the authority's, and with that of the federated token's issuer. */
export function checkClocks(
  { clock }: CheckContext,
  federated: FederatedToken | undefined,
  authority: AuthorityClock | undefined,
): Finding {
  const startsInMs = federated && untilValidMs(federated, clock.now().wallMs);
  if (authority !== undefined && isOff(authority)) {
    const { host, leadMs } = authority;
    const direction = leadMs > 0 ? 'behind' : 'ahead of';
    return wrong('clocks', clockOff({ seconds: wholeSeconds(Math.abs(leadMs)), direction, host }));
  }
  if (startsInMs !== undefined && startsInMs > TOLERANCE_MS) {
    const seconds = wholeSeconds(startsInMs);
    return authority === undefined
      ? wrong('clocks', tokenFromTheFuture({ seconds }))
      : wrong('clocks', issuerClockAhead({ seconds, host: authority.host }));
  }
  const agreements = [
    authority && `the clock of ${authority.host} agrees within ${agreementSeconds(authority)} s`,
    startsInMs !== undefined && `the federated token ${validity(startsInMs)}`,
  ].filter((each) => typeof each === 'string');
  return agreements.length === 0
    ? skipped('clocks', 'nothing to compare this clock with')
    : ok('clocks', agreements.join('; '));
}

/** Not positive once it is valid; `undefined` when the token does not say. */
function untilValidMs({ assertion }: FederatedToken, nowMs: number): number | undefined {
  const claims = assertion.jwtClaims() ?? {};
  const startsMs = ['iat', 'nbf'].map((name) => numericDateMs(claims, name));
  const stated = startsMs.filter((each) => each !== undefined);
  return stated.length === 0 ? undefined : Math.max(...stated) - nowMs;
}

function agreementSeconds({ leadMs }: AuthorityClock): number {
  return Math.max(1, wholeSeconds(Math.abs(leadMs)));
}

function validity(startsInMs: number): string {
  return startsInMs > 0
    ? `becomes valid in ${wholeSeconds(startsInMs)} s`
    : `became valid ${duration(-startsInMs)} ago`;
}

function wholeSeconds(ms: number): number {
  return Math.round(ms / 1000);
}
