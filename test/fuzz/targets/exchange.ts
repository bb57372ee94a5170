import { inspect } from 'node:util';
import fc from 'fast-check';
import { Dispatcher, MockAgent } from 'undici';
import { createExchange } from '../../../src/entra/exchange.ts';
import type { Transport } from '../../../src/entra/transport.ts';
import { parseFederatedToken } from '../../../src/federated-token/federated-token.ts';
import { systemClock } from '../../../src/support/clock.ts';
import { KnownSecrets } from '../../../src/support/secret.ts';
import { context, granted } from '../../entra/answer-parts.ts';
import { unsignedJwt } from '../../support-units/unsigned-jwt.ts';
import { holdsPiece, insist, isPresentable } from '../outcome.ts';
import { fuzz, type Texts } from '../target.ts';

const { identity } = context;
const federated = parseFederatedToken(
  unsignedJwt({ iss: identity.issuer, sub: identity.subject, aud: identity.audience }),
  '/var/run/token',
);
const assertion = federated.assertion.unwrap();
/** No JWT, so that it is known only by having been issued. */
const issued = `issued-${'0123456789abcdefghijklmnopqrstuvwxyz'.repeat(4)}`;

interface Reply {
  readonly statusCode: number;
  readonly data: string;
}

const ORIGIN = 'https://login.example';
let reply: Reply = { statusCode: 500, data: '' };
const agent = new MockAgent();
agent.disableNetConnect();
agent
  .get(ORIGIN)
  .intercept({ path: '/token', method: 'POST' })
  .reply(() => reply)
  .persist();

/** Outlives the request after which an exchange destroys its dispatcher. */
class Answering extends Dispatcher {
  override dispatch(...call: Parameters<Dispatcher['dispatch']>): boolean {
    return agent.dispatch(...call);
  }

  override async destroy(): Promise<void> {}
}

const transport: Transport = {
  kind: 'direct',
  urlFor: (endpoint) => endpoint,
  dispatcher: async () => new Answering(),
};

/** A refusal that quotes the assertion or the last access token, whole, in part or disfigured, in any of its fields. */
const replies = (texts: Texts): fc.Arbitrary<Reply> => {
  const quoting = texts(
    [
      `AADSTS700213: No match for '${assertion}'. Trace ID: none`,
      `AADSTS50027: ${issued}`,
      `${assertion}${issued}`,
      assertion.toUpperCase(),
    ],
    [assertion, issued, assertion.slice(0, 40), issued.slice(20), '. ', ' ', '\u200b', '%'],
  );
  const field = fc.constantFrom(
    'error',
    'error_description',
    'correlation_id',
    'trace_id',
    'access_token',
    'expires_in',
    'token_type',
  );
  return fc.record({
    statusCode: fc.constantFrom(200, 302, 400, 401, 403, 429, 500, 503),
    data: fc.oneof(
      { weight: 1, arbitrary: quoting },
      {
        weight: 4,
        arbitrary: fc
          .dictionary(field, quoting, { maxKeys: 3 })
          .map((quoted) => JSON.stringify({ ...granted, error: 'invalid_client', ...quoted })),
      },
    ),
  });
};

export const exchange = [
  fuzz(
    'an exchange whose answer quotes secrets',
    replies,
    async (answer) => {
      const exchanging = createExchange({
        settings: { ...identity, tokenEndpoint: `${ORIGIN}/token` },
        transport,
        clock: systemClock,
        requestTimeoutMs: 60_000,
        userAgent: 'fuzz',
        secrets: new KnownSecrets(),
      });
      const { signal } = new AbortController();
      reply = { statusCode: 200, data: JSON.stringify({ ...granted, access_token: issued }) };
      await exchanging(federated, signal);
      reply = answer;
      try {
        const { token } = await exchanging(federated, signal);
        insist(token.isPrintable(), 'the token would not fit one field of one line');
      } catch (error) {
        if (!isPresentable(error, /^entra\./, assertion) || holdsPiece(inspect(error), issued)) {
          throw error;
        }
      }
    },
    1_000,
  ),
];
