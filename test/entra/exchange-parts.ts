import { inspect } from 'node:util';
import { expect, onTestFinished } from 'vitest';
import { createExchange, type Exchange } from '../../src/entra/exchange.ts';
import { tokenEndpointOf } from '../../src/entra/request.ts';
import {
  createDirectTransport,
  type DirectTransportSettings,
  type Transport,
} from '../../src/entra/transport.ts';
import {
  type FederatedToken,
  parseFederatedToken,
} from '../../src/federated-token/federated-token.ts';
import { PgpassdError } from '../../src/support/errors.ts';
import { KnownSecrets } from '../../src/support/secret.ts';
import { defaultResource } from '../support/fake-entra/directory.ts';
import {
  type FakeEntra,
  type FakeEntraOptions,
  startFakeEntra,
} from '../support/fake-entra/server.ts';
import { findLeaks } from '../support/leak-check.ts';
import { type ManualClock, manualClock } from '../support-units/manual-clock.ts';

export const nowMs = Date.parse('2026-11-24T12:00:00Z');

/** A fake authority that closes with the test; its clock stands where the exchange's does. */
export async function startEntra(options: FakeEntraOptions = {}): Promise<FakeEntra> {
  const entra = await startFakeEntra({ now: () => nowMs, ...options });
  onTestFinished(() => entra.close());
  return entra;
}

export interface ExchangeUnderTest {
  readonly exchange: Exchange;
  readonly clock: ManualClock;
}

export interface ExchangeOptions {
  /** Whom to ask, when it is not `entra` under its own address. */
  readonly authorityHost?: string;
  readonly scope?: string;
  readonly caFile?: string;
  /** The direct one by default. */
  readonly transport?: Transport;
}

/** An exchange with `entra` over the loopback; a request lasts until the test lets time elapse. */
export async function exchangeWith(
  entra: FakeEntra,
  options: ExchangeOptions = {},
): Promise<ExchangeUnderTest> {
  const { authorityHost, caFile, scope = `${defaultResource}/.default` } = options;
  const transport = options.transport ?? (await createDirectTransport({ ...direct, caFile }));
  const clock = manualClock({ wallMs: nowMs, monotonicMs: 0 });
  const { tenantId, clientId } = entra;
  const authority = new URL(authorityHost ?? entra.authorityHost);
  const exchange = createExchange({
    settings: {
      tokenEndpoint: tokenEndpointOf(authority, tenantId),
      tenantId,
      clientId,
      scope,
    },
    transport,
    clock,
    requestTimeoutMs: 10_000,
    userAgent: 'pgpassd/1.2.3',
    secrets: new KnownSecrets(),
  });
  return { exchange, clock };
}

/** Without any proxy, whatever the environment of the tests says. */
export const direct: DirectTransportSettings = {
  caFile: undefined,
  httpsProxy: undefined,
  noProxy: undefined,
};

export async function federatedToken(entra: FakeEntra): Promise<FederatedToken> {
  return parseFederatedToken(await entra.cluster.issueServiceAccountToken(), '/token');
}

/** Never aborts. */
export const { signal: endless } = new AbortController();

/** What the exchange failed with, having made sure that neither it nor its causes quote a secret. */
export async function failureOf(
  exchanging: Promise<unknown>,
  entra: FakeEntra,
): Promise<PgpassdError> {
  const thrown: unknown = await exchanging.then(
    () => {
      throw new Error('the exchange succeeded');
    },
    (error: unknown) => error,
  );
  if (!(thrown instanceof PgpassdError)) throw thrown;
  const shown = inspect(thrown, { depth: null, showHidden: true });
  const secrets = entra.secrets();
  expect(secrets).not.toEqual([]);
  expect(findLeaks(shown, secrets)).toEqual([]);
  return thrown;
}
