import { PgpassdError, systemErrorCode } from '../support/errors.ts';
import { readRegularFile, UnusableFile } from '../support/files.ts';
import { type FederatedToken, parseFederatedToken } from './token.ts';

/** Far above any service-account token; a larger file is the wrong file. */
const LARGEST_TOKEN_BYTES = 64 * 1024;

/**
 * The token as it is now; a swap by kubelet while it is being read is never seen half.
 *
 * @throws PgpassdError `federated-token.*`
 */
export async function readFederatedToken(path: string): Promise<FederatedToken> {
  return parseFederatedToken(await readWhole(path), path);
}

async function readWhole(path: string): Promise<string> {
  try {
    const bytes = await readRegularFile(path, LARGEST_TOKEN_BYTES).catch((error: unknown) => {
      // Kubelet may remove the old directory between the walk along its link and the open.
      if (systemErrorCode(error) === 'ENOENT') return readRegularFile(path, LARGEST_TOKEN_BYTES);
      throw error;
    });
    return bytes.toString('utf8');
  } catch (error) {
    throw explain(error, path);
  }
}

function explain(error: unknown, path: string): unknown {
  const code = systemErrorCode(error);
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new PgpassdError(
      'federated-token.missing',
      `the federated token file ${path} does not exist`,
      'Check that the pod template carries the label azure.workload.identity/use: "true" and that the volume is mounted here.',
      { cause: error },
    );
  }
  if (!(error instanceof UnusableFile)) return error;
  return new PgpassdError(
    'federated-token.unreadable',
    `the federated token file ${path} ${error.message}`,
    'Let pgpassd run as a user who may read the projected token, and point --federated-token-file at the file itself.',
    { cause: error },
  );
}
