import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Answer } from './answers.ts';

/** How an answer travels. */
export type Delivery =
  | { readonly kind: 'whole'; readonly answer: Answer }
  | { readonly kind: 'drip'; readonly answer: Answer; readonly intervalMs: number }
  | { readonly kind: 'break-off'; readonly answer: Answer }
  | { readonly kind: 'flood'; readonly bytes: number }
  | { readonly kind: 'reset' }
  | { readonly kind: 'hang' };

export function deliver(response: ServerResponse, delivery: Delivery): void {
  switch (delivery.kind) {
    case 'whole':
      head(response, delivery.answer).end(delivery.answer.body);
      break;
    case 'drip':
      drip(head(response, delivery.answer), delivery.answer.body, delivery.intervalMs);
      break;
    case 'break-off':
      breakOff(head(response, delivery.answer), delivery.answer.body);
      break;
    case 'flood':
      flood(response, delivery.bytes);
      break;
    case 'reset':
      reset(response);
      break;
    case 'hang':
      break;
  }
}

/** How a request ended, for the record of it. */
export function outcomeOf(delivery: Delivery): number | 'hang' | 'reset' {
  switch (delivery.kind) {
    case 'whole':
    case 'drip':
      return delivery.answer.status;
    case 'flood':
      return 200;
    case 'break-off':
    case 'reset':
      return 'reset';
    case 'hang':
      return 'hang';
  }
}

function head(response: ServerResponse, { status, headers, body }: Answer): ServerResponse {
  return response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
}

function drip(response: ServerResponse, body: string, intervalMs: number): void {
  const bytes = Buffer.from(body);
  let sent = 0;
  response.flushHeaders();
  const timer = setInterval(() => {
    response.write(bytes.subarray(sent, sent + 1));
    sent += 1;
    if (sent < bytes.length) return;
    clearInterval(timer);
    response.end();
  }, intervalMs);
  response.once('close', () => clearInterval(timer));
}

/** Closes rather than resets: a reset may overtake the half that was sent. */
function breakOff(response: ServerResponse, body: string): void {
  response.write(body.slice(0, body.length / 2), () => response.destroy());
}

/** A socket under TLS can't send a reset of its own. */
function reset(response: ServerResponse): void {
  const { socket } = response;
  if (socket === null) return;
  if ('encrypted' in socket) socket.destroy();
  else socket.resetAndDestroy();
}

function flood(response: ServerResponse, bytes: number): void {
  response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' });
  pipeline(Readable.from(filler(bytes)), response).catch(() => {
    // The client had enough.
  });
}

function* filler(bytes: number): Generator<string> {
  const opening = '{"token_type":"Bearer","filler":"';
  const closing = '"}';
  const chunk = 'x'.repeat(16_384);
  let left = Math.max(bytes - opening.length - closing.length, 0);
  yield opening;
  for (; left > 0; left -= chunk.length) yield chunk.slice(0, Math.min(left, chunk.length));
  yield closing;
}
