import { randomUUID } from 'node:crypto';
import type { OutgoingHttpHeaders } from 'node:http';
import type { Refusal } from './refusals.ts';

export interface Answer {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: string;
}

/** What an answer takes from the request it answers and the moment it is given. */
export interface Exchange {
  readonly nowMs: number;
  readonly traceId: string;
  readonly correlationId: string;
  readonly echoCorrelationId: boolean;
}

export interface TokenBody {
  readonly token_type: 'Bearer';
  readonly expires_in: number;
  readonly ext_expires_in: number;
  readonly refresh_in?: number;
  readonly access_token: string;
}

/** Codes that Microsoft's look-up page does not know come without an `error_uri`. */
const withoutErrorUri = new Set([70025, 90061, 900612]);

export function tokenBody(
  token: string,
  expiresInSeconds: number,
  refreshInSeconds?: number,
): TokenBody {
  return {
    token_type: 'Bearer',
    expires_in: expiresInSeconds,
    ext_expires_in: expiresInSeconds,
    ...(refreshInSeconds !== undefined && { refresh_in: refreshInSeconds }),
    access_token: token,
  };
}

export function granted(body: unknown, exchange: Exchange): Answer {
  return { status: 200, headers: entraHeaders(exchange), body: JSON.stringify(body) };
}

export function refused(refusal: Refusal, exchange: Exchange): Answer {
  const { status, error, code, text, extra } = refusal;
  const { traceId, correlationId } = exchange;
  const timestamp = new Date(exchange.nowMs)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z/, 'Z');
  const body = {
    error,
    error_description:
      `AADSTS${code}: ${text} Trace ID: ${traceId}` +
      ` Correlation ID: ${correlationId} Timestamp: ${timestamp}`,
    error_codes: [code],
    timestamp,
    trace_id: traceId,
    correlation_id: correlationId,
    ...(!withoutErrorUri.has(code) && {
      error_uri: `https://login.microsoftonline.com/error?code=${code}`,
    }),
    ...extra,
  };
  return { status, headers: entraHeaders(exchange), body: JSON.stringify(body) };
}

function entraHeaders(exchange: Exchange): OutgoingHttpHeaders {
  return {
    'cache-control': 'no-store, no-cache',
    date: new Date(exchange.nowMs).toUTCString(),
    pragma: 'no-cache',
    'content-type': 'application/json; charset=utf-8',
    expires: '-1',
    'strict-transport-security': 'max-age=31536000; includeSubDomains',
    'x-content-type-options': 'nosniff',
    p3p: 'CP="DSP CUR OTPi IND OTRi ONL FIN"',
    ...(exchange.echoCorrelationId && { 'client-request-id': exchange.correlationId }),
    'x-ms-request-id': exchange.traceId,
    'x-ms-ests-server': '2.1.22207.4 - WEULR1 ProdSlices',
    'x-xss-protection': '0',
    'set-cookie': [
      `fpc=${randomUUID()}; path=/; secure; HttpOnly; SameSite=None`,
      'x-ms-gateway-slice=estsfd; path=/; secure; samesite=none; httponly',
      'stsservicecookie=estsfd; path=/; secure; samesite=none; httponly',
    ],
  };
}
