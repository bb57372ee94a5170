import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, inflateRaw, zstdDecompress } from 'node:zlib';
import { request } from 'undici';
import type { AccessToken } from '../support/access-token.ts';
import { type Clock, DeadlinePassed, withDeadline } from '../support/clock.ts';
import { errorOf, PgpassdError } from '../support/errors.ts';
import type { KnownSecrets, Secret } from '../support/secret.ts';
import { badAnswer, interpretAnswer, type RawAnswer } from './answer.ts';
import type { Attempt, Step } from './connect.ts';
import { type ExchangeSettings, type TokenRequest, tokenRequest } from './request.ts';
import { type Transport, withDispatcher } from './transport.ts';
import { explainTimeout, explainTransportError } from './transport-failure.ts';

/** What is exchanged. */
export interface Assertion {
  readonly assertion: Secret;
  /** The claims that Entra compares with the federated credential. */
  readonly identity: {
    readonly issuer: string | undefined;
    readonly subject: string | undefined;
    readonly audience: readonly string[];
  };
}

export interface ExchangeParts {
  readonly settings: ExchangeSettings;
  readonly transport: Transport;
  readonly clock: Clock;
  /** Of one attempt, from the first connection to the last byte. */
  readonly requestTimeoutMs: number;
  readonly userAgent: string;
  /** Errors are redacted with them; each assertion and each access token is added. */
  readonly secrets: KnownSecrets;
}

export type Exchange = (assertion: Assertion, signal: AbortSignal) => Promise<AccessToken>;

/** One attempt to exchange a federated token for an access token. The exchange throws PgpassdError `entra.*`. */
export function createExchange(parts: ExchangeParts): Exchange {
  const { settings, transport, clock, requestTimeoutMs, userAgent, secrets } = parts;
  const sent = { ...settings, tokenEndpoint: transport.urlFor(settings.tokenEndpoint) };
  return async ({ assertion, identity }, signal) => {
    const correlationId = randomUUID();
    secrets.add(assertion);
    const tokenRequested = tokenRequest(sent, assertion, correlationId, userAgent);
    let lastStep: Step | undefined;
    const onStep = (step: Step) => {
      lastStep = step;
    };
    const askedAt = clock.now();
    try {
      const answer = await withDeadline(clock, requestTimeoutMs, signal, (inTime) =>
        sendTokenRequest(tokenRequested, transport, {
          clock,
          timeoutMs: requestTimeoutMs,
          signal: inTime,
          onStep,
        }),
      );
      const nowMs = clock.now().wallMs;
      const refused = { ...settings, ...identity };
      const issued = interpretAnswer(answer, { identity: refused, correlationId, askedAt, nowMs });
      secrets.add(issued.token);
      return issued;
    } catch (error) {
      if (error instanceof DeadlinePassed && !signal.aborted) {
        const reason = explainTimeout(lastStep, tokenRequested.url, requestTimeoutMs / 1000);
        throw errorOf(reason, { details: { correlationId } });
      }
      throw withoutSecrets(error, secrets);
    }
  };
}

/** A server or proxy may quote a token in its answer: it must not leave this file. */
function withoutSecrets(error: unknown, secrets: KnownSecrets): unknown {
  if (!(error instanceof PgpassdError)) return error;
  return error.withMessage(secrets.redactFrom(error.message));
}

/** Entra's answers are a few KB; a larger one does not come from Entra. */
const LARGEST_ANSWER_BYTES = 1024 * 1024;

/**
 * Sends one request and reads the answer whole. Redirects are not followed: they would send the
 * assertion to another server.
 *
 * @throws PgpassdError `entra.unreachable`, `entra.untrusted` or `entra.bad-answer`, or the reason of
 *   the attempt's signal
 */
async function sendTokenRequest(
  { url, headers, body }: TokenRequest,
  transport: Transport,
  attempt: Attempt,
): Promise<RawAnswer> {
  const { signal, onStep } = attempt;
  return await withDispatcher(transport, attempt, async (dispatcher) => {
    try {
      const response = await request(url, {
        method: 'POST',
        headers,
        body,
        dispatcher,
        signal,
        // The signal bounds the attempt as a whole.
        headersTimeout: 0,
        bodyTimeout: 0,
        reset: true,
      });
      onStep({ type: 'answering', host: new URL(url).host });
      const answer = { status: response.statusCode, headers: response.headers };
      const bytes = await readBody(response.body);
      return { ...answer, body: await plainText(bytes, answer) };
    } catch (error) {
      if (signal.aborted || error instanceof PgpassdError) throw error;
      throw explainTransportError(error, url, transport.kind);
    }
  });
}

async function readBody(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > LARGEST_ANSWER_BYTES) throw unreadable('it is larger than 1 MiB');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The request asks for a body without content coding; some gateways compress it nevertheless. */
async function plainText(
  body: Buffer,
  { headers, status }: Omit<RawAnswer, 'body'>,
): Promise<string> {
  const codings = [headers['content-encoding'] ?? []].flat().join(', ');
  try {
    return (await decodeBody(body, codings, LARGEST_ANSWER_BYTES)).toString('utf8');
  } catch (error) {
    if (!(error instanceof UndecodableBody)) throw error;
    // The status says most about a failure.
    if (status !== 200) return '';
    throw unreadable(error.message);
  }
}

function unreadable(problem: string): PgpassdError {
  return errorOf(badAnswer({ problem }));
}

/** Why a body cannot be read, as a sentence about the answer without a full stop. */
export class UndecodableBody extends Error {
  override readonly name = 'UndecodableBody';
}

type Decoder = (body: Buffer, options: { readonly maxOutputLength: number }) => Promise<Buffer>;

const gzip: Decoder = promisify(gunzip);

/** The content codings of RFC 9110, section 8.4.1, and those that were registered since. */
const decoders: Readonly<Record<string, Decoder>> = {
  identity: async (body) => body,
  gzip,
  'x-gzip': gzip,
  // By the standard in the format of zlib; many servers send it without the header.
  deflate: async (body, options) => {
    const isZlib = ((body[0] ?? 0) & 0x0f) === 8 && body.readUInt16BE(0) % 31 === 0;
    return await promisify(isZlib ? inflate : inflateRaw)(body, options);
  },
  br: promisify(brotliDecompress),
  zstd: promisify(zstdDecompress),
};

/** More than one coding is unusual already. */
const MOST_CODINGS = 3;

/**
 * The body as it was before `contentEncoding`, a list with the last coding applied at its end.
 *
 * @throws UndecodableBody when a coding is unknown, or the body damaged or longer than `largestBytes`
 */
export async function decodeBody(
  body: Buffer,
  contentEncoding: string,
  largestBytes: number,
): Promise<Buffer> {
  const codings = contentEncoding
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '');
  // An answer without a body may still name a coding.
  if (body.length === 0) return body;
  const shown = JSON.stringify(contentEncoding.slice(0, 60));
  const unknown = () => new UndecodableBody(`its content-encoding ${shown} is not supported`);
  if (codings.length > MOST_CODINGS) throw unknown();
  let decoded = body;
  for (const coding of codings.toReversed()) {
    const decode = Object.hasOwn(decoders, coding) ? decoders[coding] : undefined;
    if (decode === undefined) throw unknown();
    decoded = await decode(decoded, { maxOutputLength: largestBytes }).catch((error: unknown) => {
      const tooLarge = (error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE';
      throw new UndecodableBody(
        tooLarge
          ? `it is larger than ${largestBytes / 1024 / 1024} MiB in the content-encoding ${shown}`
          : `its body is damaged in the content-encoding ${shown}`,
      );
    });
  }
  return decoded;
}
