import { interpretAnswer, type RawAnswer } from '../../src/entra/answer.ts';
import type { AccessToken } from '../../src/support/access-token.ts';
import { PgpassdError } from '../../src/support/errors.ts';

export const sentId = '7a1f0c7e-9d2b-4f6c-8a53-0e9b1d2c3f40';
export const traceId = 'c3d4e5f6-0718-4a2b-9c3d-4e5f60718293';

export const context = {
  identity: {
    tenantId: 'the-tenant',
    clientId: 'the-client',
    scope: 'the-scope',
    issuer: 'https://issuer.example/',
    subject: 'system:serviceaccount:shop:legacy-app',
    audience: ['api://AzureADTokenExchange'],
  },
  correlationId: sentId,
  askedAt: { wallMs: Date.parse('2026-11-24T12:00:00Z'), monotonicMs: 0 },
  nowMs: Date.parse('2026-11-24T12:00:00Z'),
};

export const granted = {
  token_type: 'Bearer',
  expires_in: 3599,
  ext_expires_in: 3599,
  access_token: 'header.payload.signature',
};

/** An answer with this body, or with this value as JSON for its body. */
export const answer = (
  status: number,
  body: unknown,
  headers: RawAnswer['headers'] = {},
): RawAnswer => ({
  status,
  headers,
  body: typeof body === 'string' ? body : JSON.stringify(body),
});

export const read = (raw: RawAnswer): AccessToken => interpretAnswer(raw, context);

export function failure(raw: RawAnswer): PgpassdError {
  try {
    read(raw);
  } catch (error) {
    if (error instanceof PgpassdError) return error;
    throw error;
  }
  throw new Error('the answer was taken for a good one');
}
