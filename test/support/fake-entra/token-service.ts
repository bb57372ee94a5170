import { type AccessTokenShape, type IssuedAccessToken, issueAccessToken } from './access-token.ts';
import {
  type Answer,
  type Exchange,
  granted,
  refused,
  type TokenBody,
  tokenBody,
} from './answers.ts';
import type { Delivery } from './delivery.ts';
import type { Directory } from './directory.ts';
import type { Fault } from './faults.ts';
import { judge, type TokenRequest } from './judge.ts';

interface TokenShape extends AccessTokenShape {
  readonly refreshInSeconds: number | undefined;
}

interface Response {
  readonly delivery: Delivery;
  readonly issued?: IssuedAccessToken;
}

interface TokenService {
  readonly issued: readonly string[];
  respond(request: TokenRequest, exchange: Exchange, fault: Fault | undefined): Promise<Response>;
}

/** Judges requests, issues tokens, and lets the script of faults have its way with the answers. */
export function createTokenService(directory: Directory, shape: TokenShape): TokenService {
  const issued: string[] = [];
  let latest: IssuedAccessToken | undefined;

  async function issue(resource: string, nowMs: number): Promise<IssuedAccessToken> {
    latest = await issueAccessToken(directory, resource, shape, nowMs);
    issued.push(latest.token);
    return latest;
  }

  async function respondAsEntra(
    request: TokenRequest,
    exchange: Exchange,
    fault: Fault | undefined,
  ): Promise<Response> {
    const verdict = judge(request, directory, exchange.nowMs);
    if (!verdict.granted) return { delivery: whole(refused(verdict.refusal, exchange)) };
    const repeated = fault?.kind === 'same-token' ? latest : undefined;
    const token = repeated ?? (await issue(verdict.resource, exchange.nowMs));
    const body = tokenBody(token.token, expiresIn(token, exchange), shape.refreshInSeconds);
    return { delivery: spoil(body, exchange, fault), issued: token };
  }

  return {
    issued,
    respond: async (request, exchange, fault) => {
      const instead = fault && insteadOfAnAnswer(fault, exchange);
      if (instead !== undefined) return { delivery: instead };
      if (fault?.kind === 'hold') await fault.until();
      return respondAsEntra(request, exchange, fault);
    },
  };
}

const whole = (answer: Answer): Delivery => ({ kind: 'whole', answer });

/** Entra counts a second less than the token's own `exp` leaves. */
function expiresIn({ expiresAtMs }: IssuedAccessToken, { nowMs }: Exchange): number {
  return Math.max(1, Math.floor(expiresAtMs / 1000) - Math.floor(nowMs / 1000) - 1);
}

/** Faults that leave the request unread. */
function insteadOfAnAnswer(fault: Fault, exchange: Exchange): Delivery | undefined {
  switch (fault.kind) {
    case 'answer':
      return whole({ status: fault.status, headers: fault.headers ?? {}, body: fault.body });
    case 'refuse':
      return whole(refused(fault.refusal, exchange));
    case 'flood':
      return fault;
    case 'hang':
      return fault;
    case 'reset':
      return fault.when === 'before' ? { kind: 'reset' } : undefined;
    default:
      return undefined;
  }
}

/** Faults that befall an answer that was good until then. */
function spoil(body: TokenBody, exchange: Exchange, fault: Fault | undefined): Delivery {
  const answer = granted(body, exchange);
  switch (fault?.kind) {
    case 'drip':
      return { kind: 'drip', answer, intervalMs: fault.intervalMs ?? 1000 };
    case 'reset':
      return { kind: 'break-off', answer };
    case 'truncate':
      return whole({ ...answer, body: answer.body.slice(0, -20) });
    case 'mutate':
      return whole(granted(fault.change(body), exchange));
    default:
      return whole(answer);
  }
}
