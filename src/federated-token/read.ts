import { constants, open } from 'node:fs/promises';
import { PgpassdError, systemErrorCode } from '../support/errors.ts';
import { type FederatedToken, parseFederatedToken } from './token.ts';

/** Far above any service-account token; a larger file is the wrong file. */
const LARGEST_TOKEN_BYTES = 64 * 1024;

/**
 * Reads the token whole in one open, so that a swap by kubelet in between is never seen half.
 *
 * @throws PgpassdError `federated-token.*`
 */
export async function readFederatedToken(path: string): Promise<FederatedToken> {
  return parseFederatedToken(await readWhole(path), path);
}

async function readWhole(path: string): Promise<string> {
  try {
    const file = await openOnce(path).catch((error: unknown) => {
      // Kubelet may remove the old directory between the walk along its link and the open.
      if (systemErrorCode(error) === 'ENOENT') return openOnce(path);
      throw error;
    });
    try {
      const stats = await file.stat();
      if (!stats.isFile()) throw unreadable(path, 'is not a regular file');
      if (stats.size > LARGEST_TOKEN_BYTES) throw unreadable(path, 'is too large for a token');
      return await file.readFile('utf8');
    } finally {
      await file.close();
    }
  } catch (error) {
    throw explain(error, path);
  }
}

/** Without O_NONBLOCK a FIFO in the token's place would hold us until somebody writes to it. */
function openOnce(path: string) {
  return open(path, constants.O_RDONLY | constants.O_NONBLOCK);
}

function explain(error: unknown, path: string): unknown {
  if (error instanceof PgpassdError) return error;
  const code = systemErrorCode(error);
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new PgpassdError(
      'federated-token.missing',
      `the federated token file ${path} does not exist`,
      'Check that the pod template carries the label azure.workload.identity/use: "true" and that the volume is mounted here.',
      { cause: error },
    );
  }
  return unreadable(path, `cannot be read (${code ?? 'unknown error'})`, error);
}

function unreadable(path: string, what: string, cause?: unknown): PgpassdError {
  return new PgpassdError(
    'federated-token.unreadable',
    `the federated token file ${path} ${what}`,
    'Let pgpassd run as a user who may read the projected token, and point --federated-token-file at the file itself.',
    { cause },
  );
}
