import { request } from 'undici';
import { PgpassdError } from '../support/errors.ts';
import type { RawAnswer } from './answer.ts';
import { decodeBody, UndecodableBody } from './decode.ts';
import type { TokenRequest } from './request.ts';
import { through } from './through.ts';
import { explainTransportError } from './transport-errors.ts';
import type { Attempt, Way } from './way.ts';

/** Entra's answers are a few KB; whatever is larger does not come from Entra. */
const LARGEST_ANSWER_BYTES = 1024 * 1024;

/**
 * Sends one request and reads the answer whole. Redirects are not followed: they would carry the
 * assertion to somebody else.
 *
 * @throws PgpassdError `entra.unreachable`, `entra.untrusted` or `entra.bad-answer`, or the reason of
 *   the attempt's signal
 */
export async function sendTokenRequest(
  { url, headers, body }: TokenRequest,
  way: Way,
  attempt: Attempt,
): Promise<RawAnswer> {
  const { signal, onStep } = attempt;
  return await through(way, attempt, async (dispatcher) => {
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
      const { statusCode: status, headers: told } = response;
      const bytes = await readBounded(response.body, url);
      return { status, headers: told, body: await plainText(bytes, told, status, url) };
    } catch (error) {
      if (signal.aborted || error instanceof PgpassdError) throw error;
      throw explainTransportError(error, url, way.kind);
    }
  });
}

async function readBounded(body: AsyncIterable<Buffer>, url: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > LARGEST_ANSWER_BYTES) throw unusable('answered with more than 1 MiB', url);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The request asks for a body as it is; some gateways compress it all the same. */
async function plainText(
  body: Buffer,
  headers: RawAnswer['headers'],
  status: number,
  url: string,
): Promise<string> {
  const codings = [headers['content-encoding'] ?? []].flat().join(', ');
  try {
    return (await decodeBody(body, codings, LARGEST_ANSWER_BYTES)).toString('utf8');
  } catch (error) {
    if (!(error instanceof UndecodableBody)) throw error;
    // A failure tells the most by its status.
    if (status !== 200) return '';
    throw unusable(error.message, url);
  }
}

function unusable(what: string, url: string): PgpassdError {
  return new PgpassdError(
    'entra.bad-answer',
    `${new URL(url).host} ${what}`,
    'Check that AZURE_AUTHORITY_HOST (--authority-host) and the proxy lead to Entra.',
  );
}
