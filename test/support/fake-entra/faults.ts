import type { OutgoingHttpHeaders } from 'node:http';
import type { TokenBody } from './answers.ts';
import type { Refusal } from './refusals.ts';

/**
 * What goes wrong with a request. A drip, a truncation, a repeated or mutated token and a reset in
 * mid-body befall good answers only: a request that deserves a refusal still gets it.
 */
export type Fault =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers?: OutgoingHttpHeaders;
      readonly body: string;
    }
  | { readonly kind: 'refuse'; readonly refusal: Refusal }
  | { readonly kind: 'flood'; readonly bytes: number }
  | { readonly kind: 'hang' }
  | { readonly kind: 'reset'; readonly when: 'before' | 'mid-body' }
  /** Called when the request is there, awaited before it is judged. */
  | { readonly kind: 'hold'; readonly until: () => Promise<unknown> }
  | { readonly kind: 'drip'; readonly intervalMs?: number }
  | { readonly kind: 'truncate' }
  | { readonly kind: 'same-token' }
  | { readonly kind: 'mutate'; readonly change: (body: TokenBody) => unknown };

export interface FaultScript {
  /** Queues a fault for the next `times` requests. */
  next(fault: Fault, times?: number): void;
  /** What happens to every request the queue leaves alone; `undefined` ends it. */
  always(fault: Fault | undefined): void;
}

export function createFaultScript(): FaultScript & { take(): Fault | undefined } {
  const queue: Fault[] = [];
  let standing: Fault | undefined;
  return {
    next: (fault, times = 1) => {
      queue.push(...Array<Fault>(times).fill(fault));
    },
    always: (fault) => {
      standing = fault;
    },
    take: () => queue.shift() ?? standing,
  };
}

/** An error in Entra's own shape, with the ids of the request it answers. */
export const aadsts = (
  code: number,
  status: number,
  error: string,
  text: string,
  extra: Readonly<Record<string, unknown>> = {},
): Fault => ({ kind: 'refuse', refusal: { code, status, error, text, extra } });

export const temporarilyUnavailable = (): Fault =>
  aadsts(
    90033,
    500,
    'temporarily_unavailable',
    'A transient error has occurred. Please try again.',
  );

/** Entra's throttle does not answer in JSON. */
export const tooManyRequests = (retryAfter?: string): Fault => ({
  kind: 'answer',
  status: 429,
  headers: { 'content-type': 'text/plain; charset=utf-8', ...retryAfterHeader(retryAfter) },
  body: 'Too Many Requests',
});

export const serviceUnavailableHtml = (retryAfter?: string): Fault => ({
  kind: 'answer',
  status: 503,
  headers: { 'content-type': 'text/html', ...retryAfterHeader(retryAfter) },
  body: "<!DOCTYPE html><html><body><h2>Our services aren't available right now</h2></body></html>",
});

export const captivePortal = (): Fault => ({
  kind: 'answer',
  status: 200,
  headers: { 'content-type': 'text/html; charset=utf-8' },
  body: '<!DOCTYPE html><html><body><form action="/login">Please sign in.</form></body></html>',
});

export const redirect = (location: string): Fault => ({
  kind: 'answer',
  status: 302,
  headers: { location },
  body: '',
});

/** A good answer that ends in the middle of its access token. */
export const truncatedJson = (): Fault => ({ kind: 'truncate' });

/** Well-formed JSON of this size, and no token. */
export const bigBody = (bytes: number): Fault => ({ kind: 'flood', bytes });

export const endlessBody = (): Fault => ({ kind: 'flood', bytes: Number.POSITIVE_INFINITY });

const retryAfterHeader = (retryAfter: string | undefined): OutgoingHttpHeaders =>
  retryAfter === undefined ? {} : { 'retry-after': retryAfter };
