import { aadsts, type Fault, redirect } from '../support/fake-entra/faults.ts';

/** A refusal in Entra's shape; everything in it that a careless server could fill is filled. */
const refusalWith = (fields: Record<string, unknown>, headers: Record<string, string> = {}) =>
  ({
    kind: 'answer',
    status: 401,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ error: 'invalid_client', ...fields }),
  }) as const satisfies Fault;

/** What a server, or something on the way to it, makes of an assertion that it quotes. */
export const quotations: Readonly<Record<string, (assertion: string) => Fault>> = {
  'a refusal that quotes it': (assertion) =>
    aadsts(700213, 401, 'invalid_client', `No match for '${assertion}'.`),
  'a refusal that quotes pieces of it': (assertion) =>
    aadsts(
      50027,
      401,
      'invalid_client',
      `Bad token ${assertion.slice(7, 60)}...${assertion.slice(-30)} (${assertion.slice(90, 107)}).`,
    ),
  'a refusal that quotes it where a long text is cut': (assertion) =>
    aadsts(50027, 401, 'invalid_client', `${'Bad token, '.repeat(33)}${assertion}`),
  'a refusal that quotes it line by line': (assertion) =>
    refusalWith({ error_description: assertion.replaceAll(/.{64}/g, '$& ') }),
  'a refusal that is nothing but it': (assertion) =>
    refusalWith(
      {
        error: assertion,
        error_description: assertion,
        error_codes: [assertion],
        correlation_id: assertion,
        trace_id: assertion,
        error_uri: `https://login.example.com/?code=${assertion}`,
        claims: assertion,
      },
      { 'x-ms-request-id': assertion, 'client-request-id': assertion, 'retry-after': assertion },
    ),
  'an outage that quotes it': (assertion) =>
    aadsts(90033, 500, 'temporarily_unavailable', `While handling ${assertion}.`),
  'a throttle that quotes it': (assertion) =>
    aadsts(50196, 429, 'invalid_request', `A loop with ${assertion}.`),
  'a page that quotes it': (assertion) => ({
    kind: 'answer',
    status: 403,
    headers: { 'content-type': 'text/html' },
    body: `<html>Blocked: client_assertion=${assertion}</html>`,
  }),
  'a redirect that hands it on': (assertion) => redirect(`https://example.com/?${assertion}`),
};
