import { get } from 'node:http';
import type { HttpAddress } from '../../config/values.ts';
import { isRecord } from '../../support/jwt.ts';

/** What `/readyz` of a running pgpassd says of itself. */
export interface Readiness {
  readonly ready: boolean;
  readonly reason: string;
  readonly lastError: { readonly message: string; readonly remedy: string } | undefined;
}

const LARGEST_ANSWER_BYTES = 64 * 1024;

/** Asks the pgpassd of this pod; `undefined` when none answers there within `timeoutMs`. */
export function askDaemon(
  { host, port }: HttpAddress,
  timeoutMs: number,
): Promise<Readiness | undefined> {
  return new Promise((settle) => {
    const request = get({ host, port, path: '/readyz', agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (piece: string) => {
        text += piece;
        if (text.length > LARGEST_ANSWER_BYTES) request.destroy(new Error('too large'));
      });
      response.on('end', () => settle(readAnswer(response.statusCode, text)));
      response.on('error', () => settle(undefined));
    });
    request.setTimeout(timeoutMs, () => request.destroy(new Error('no answer')));
    request.on('error', () => settle(undefined));
  });
}

/** Somebody else may listen there: what is not our JSON is no answer. */
function readAnswer(status: number | undefined, text: string): Readiness | undefined {
  try {
    const body: unknown = JSON.parse(text);
    if (!isRecord(body) || typeof body['reason'] !== 'string') return undefined;
    return { ready: status === 200, reason: body['reason'], lastError: errorIn(body['lastError']) };
  } catch {
    return undefined;
  }
}

function errorIn(value: unknown): Readiness['lastError'] {
  if (!isRecord(value)) return undefined;
  const { message, remedy } = value;
  return typeof message === 'string' && typeof remedy === 'string'
    ? { message, remedy }
    : undefined;
}
