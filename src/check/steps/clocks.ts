import type { FederatedToken } from '../../federated-token/token.ts';
import { numericDateMs } from '../../support/jwt.ts';
import { duration } from '../../support/text.ts';
import { clockOff, issuerClockAhead, tokenFromTheFuture } from '../causes/clocks.ts';
import { type Finding, ok, skipped, wrong } from '../finding.ts';
import type { Scene } from '../scene.ts';

/** The clock of whoever answers requests for tokens. */
export interface AuthorityClock {
  readonly host: string;
  /** How far it is ahead of ours; negative when it is behind. */
  readonly leadMs: number;
}

/** What Entra tolerates between its clock and that of a token's issuer. */
const TOLERANCE_MS = 300_000;

/** Whether the two differ by more than Entra lets pass. */
export function isOff({ leadMs }: AuthorityClock): boolean {
  return Math.abs(leadMs) > TOLERANCE_MS;
}

/** Whether this clock agrees with the authority's, and with the one that the federated token was issued by. */
export function checkClocks(
  { clock }: Scene,
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
  const told = startsMs.filter((each) => each !== undefined);
  return told.length === 0 ? undefined : Math.max(...told) - nowMs;
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
