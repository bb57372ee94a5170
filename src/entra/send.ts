import { request } from 'undici';
import { PgpassdError } from '../support/errors.ts';
import type { RawAnswer } from './answer.ts';
import type { TokenRequest } from './request.ts';
import { through } from './through.ts';
import { explainTransportError } from './transport-errors.ts';
import type { Way } from './way.ts';

/** Entra's answers are a few KB; whatever is larger does not come from Entra. */
const LARGEST_ANSWER_BYTES = 1024 * 1024;

/**
 * Sends one request and reads the answer whole. Redirects are not followed: they would carry the
 * assertion to somebody else.
 *
 * @throws PgpassdError `entra.unreachable`, `entra.untrusted` or `entra.bad-answer`, or the reason of `signal`
 */
export async function sendTokenRequest(
  { url, headers, body }: TokenRequest,
  way: Way,
  signal: AbortSignal,
): Promise<RawAnswer> {
  return await through(way, signal, async (dispatcher) => {
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
      return {
        status: response.statusCode,
        headers: response.headers,
        body: await readBounded(response.body, url),
      };
    } catch (error) {
      if (signal.aborted || error instanceof PgpassdError) throw error;
      throw explainTransportError(error, url, way.kind);
    }
  });
}

async function readBounded(body: AsyncIterable<Buffer>, url: string): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > LARGEST_ANSWER_BYTES) {
      throw new PgpassdError(
        'entra.bad-answer',
        `${new URL(url).host} answered with more than 1 MiB`,
        'Check that AZURE_AUTHORITY_HOST (--authority-host) and the proxy lead to Entra.',
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
