import { randomUUID } from 'node:crypto';
import type { AccessToken } from '../support/access-token.ts';
import type { Clock } from '../support/clock.ts';
import { DeadlinePassed, withDeadline } from '../support/deadline.ts';
import { PgpassdError } from '../support/errors.ts';
import type { KnownSecrets, Secret } from '../support/secret.ts';
import { interpretAnswer } from './answer.ts';
import { type ExchangeSettings, tokenRequest } from './request.ts';
import { sendTokenRequest } from './send.ts';
import { phaseAfter, type Step } from './steps.ts';
import type { Way } from './way.ts';

/** What the assertion says of itself; Entra compares it with the federated credential. */
export interface Assertion {
  readonly assertion: Secret;
  readonly identity: {
    readonly issuer: string | undefined;
    readonly subject: string | undefined;
    readonly audience: readonly string[];
  };
}

export interface ExchangeParts {
  readonly settings: ExchangeSettings;
  readonly way: Way;
  readonly clock: Clock;
  /** One attempt, from connect to last byte. */
  readonly requestTimeoutMs: number;
  readonly userAgent: string;
  /** What errors are cleared of; each assertion and each access token is added. */
  readonly secrets: KnownSecrets;
}

export type Exchange = (assertion: Assertion, signal: AbortSignal) => Promise<AccessToken>;

/** One attempt to exchange a federated token for an access token. The exchange throws PgpassdError `entra.*`. */
export function createExchange(parts: ExchangeParts): Exchange {
  const { settings, way, clock, requestTimeoutMs, userAgent, secrets } = parts;
  const onTheWay = { ...settings, tokenEndpoint: way.urlFor(settings.tokenEndpoint) };
  return async ({ assertion, identity }, signal) => {
    const correlationId = randomUUID();
    secrets.add(assertion);
    const request = tokenRequest(onTheWay, assertion, correlationId, userAgent);
    let lastStep: Step | undefined;
    const onStep = (step: Step) => {
      lastStep = step;
    };
    try {
      const answer = await withDeadline(clock, requestTimeoutMs, signal, (inTime) =>
        sendTokenRequest(request, way, {
          clock,
          timeoutMs: requestTimeoutMs,
          signal: inTime,
          onStep,
        }),
      );
      const nowMs = clock.now().wallMs;
      const refused = { ...settings, ...identity };
      const issued = interpretAnswer(answer, { identity: refused, correlationId, nowMs });
      secrets.add(issued.token);
      return issued;
    } catch (error) {
      if (error instanceof DeadlinePassed && !signal.aborted) {
        const { host } = new URL(request.url);
        const { words, remedy } = phaseAfter(lastStep, host);
        throw new PgpassdError(
          'entra.timeout',
          `${host} did not answer within ${requestTimeoutMs / 1000} s: time ran out ${words}`,
          `${remedy}, or allow more with --request-timeout (once: and --timeout).`,
          { details: { correlationId } },
        );
      }
      throw withoutSecrets(error, secrets);
    }
  };
}

/** A server or proxy may quote a token in its answer; it goes no further than here. */
function withoutSecrets(error: unknown, secrets: KnownSecrets): unknown {
  if (!(error instanceof PgpassdError)) return error;
  const { code, message, remedy, details, cause } = error;
  return new PgpassdError(code, secrets.redactFrom(message), remedy, { details, cause });
}
