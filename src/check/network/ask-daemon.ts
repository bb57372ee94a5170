import { get } from 'node:http';
import { type RefreshErrorCode, refreshErrorCodes } from '../../support/errors.ts';
import { isRecord } from '../../support/jwt.ts';
import type { Address } from '../../support/text.ts';

/** The answer of a running pgpassd to `/readyz`. */
export interface Readiness {
  readonly ready: boolean;
  readonly reason: string;
  readonly lastError: LastError | undefined;
}

interface LastError {
  readonly code: RefreshErrorCode;
  readonly message: string;
  readonly remedy: string;
}

const LARGEST_ANSWER_BYTES = 64 * 1024;

/** Asks the pgpassd of this pod; `undefined` when none answers there until `signal` aborts. */
export function askDaemon(
  { host, port }: Address,
  signal: AbortSignal,
): Promise<Readiness | undefined> {
  return new Promise((settle) => {
    const request = get({ host, port, path: '/readyz', agent: false, signal }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (piece: string) => {
        text += piece;
        if (text.length > LARGEST_ANSWER_BYTES) request.destroy(new Error('too large'));
      });
      response.on('end', () => settle(readAnswer(response.statusCode, text)));
      response.on('error', () => settle(undefined));
    });
    request.on('error', () => settle(undefined));
  });
}

/** Another program may listen there, so anything but our JSON counts as no answer. */
function readAnswer(status: number | undefined, text: string): Readiness | undefined {
  try {
    const body: unknown = JSON.parse(text);
    if (!isRecord(body) || typeof body['reason'] !== 'string') return undefined;
    return { ready: status === 200, reason: body['reason'], lastError: errorIn(body['lastError']) };
  } catch {
    return undefined;
  }
}

function errorIn(value: unknown): LastError | undefined {
  if (!isRecord(value)) return undefined;
  const { message, remedy } = value;
  const code = refreshErrorCodes.find((each) => each === value['code']);
  return code !== undefined && typeof message === 'string' && typeof remedy === 'string'
    ? { code, message, remedy }
    : undefined;
}
