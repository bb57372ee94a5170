import type { Exchange } from '../entra/exchange.ts';
import { readFederatedToken } from '../federated-token/read.ts';
import { assertUnexpired, type FederatedToken, sameIdentity } from '../federated-token/token.ts';
import type { FetchToken } from '../refresh/refresher.ts';
import type { AccessToken } from '../support/access-token.ts';
import type { Clock } from '../support/clock.ts';
import { PgpassdError } from '../support/errors.ts';

export interface WorkloadIdentity {
  readonly fetch: FetchToken;
  /** The federated token of the last exchange, successful or not. */
  lastSent(): FederatedToken | undefined;
}

/** A source of access tokens: read the federated token anew each time, then exchange it. */
export function createWorkloadIdentity(
  path: string,
  exchange: Exchange,
  clock: Clock,
): WorkloadIdentity {
  let lastSent: FederatedToken | undefined;
  const readUnexpired = async () => {
    const federated = await readFederatedToken(path);
    assertUnexpired(federated, clock.now().wallMs);
    return federated;
  };
  const send = (federated: FederatedToken, signal: AbortSignal): Promise<AccessToken> => {
    lastSent = federated;
    return exchange(federated, signal);
  };
  return {
    lastSent: () => lastSent,
    async fetch(signal) {
      const federated = await readUnexpired();
      try {
        return await send(federated, signal);
      } catch (error) {
        if (!isOutOfTime(error)) throw error;
        // Kubelet may have rotated while the request was on its way.
        const rotated = await readUnexpired().catch(() => federated);
        if (rotated.assertion.equals(federated.assertion)) throw error;
        return await send(rotated, signal);
      }
    },
  };
}

/** "Client assertion is not within its valid time range." */
function isOutOfTime(error: unknown): boolean {
  return error instanceof PgpassdError && error.details.aadsts === 'AADSTS700024';
}

export interface Rotation {
  readonly federated: FederatedToken;
  readonly lastSent: FederatedToken | undefined;
  /** Whether the passfile holds an unexpired token. */
  readonly tokenValid: boolean;
  /** Whether the last attempt failed. */
  readonly failing: boolean;
}

/**
 * Whether a rotation is worth an exchange. Kubelet rotates hourly what is exchanged daily, so most
 * are not: only when it may end a failure, or when Entra would now see another identity.
 */
export function rotationCallsForRefresh(rotation: Rotation): boolean {
  const { federated, lastSent, tokenValid, failing } = rotation;
  if (lastSent?.assertion.equals(federated.assertion)) return false;
  if (failing) return true;
  if (lastSent === undefined) return false;
  return !tokenValid || !sameIdentity(lastSent.identity, federated.identity);
}
