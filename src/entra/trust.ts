import { X509Certificate } from 'node:crypto';
import { failure } from '../support/errors.ts';
import { readRegularFile, UnusableFile } from '../support/files.ts';

/** Noticed by an exchange, and not at the start, each of these is `entra.untrusted`. */
export const caFileUnusable = failure<'path' | 'problem'>(
  'ca-file',
  'config.invalid',
  ({ path, problem }) => ({
    found: `--ca-file ${path} ${problem}`,
    remedy: 'Set it to a readable file of PEM certificates.',
  }),
);

export const tokenProxyCaUnusable = failure<'setting' | 'problem'>(
  'token-proxy-ca',
  'config.invalid',
  ({ setting, problem }) => ({
    found: `the token proxy's CA in ${setting} ${problem}`,
    remedy: 'It must be PEM certificates; the workload identity webhook mounts and sets it.',
  }),
);

/** Several times the size of all public CAs together; a larger file is the wrong file. */
const LARGEST_CA_FILE_BYTES = 4 * 1024 * 1024;

/** What is wrong with a CA, as the end of a sentence that begins with its setting's name. */
export class UnusableCa extends Error {
  override readonly name = 'UnusableCa';
  /** Whether it may only not be there yet, as in a volume that is still to be filled. */
  readonly awaited: boolean;

  constructor(message: string, options: ErrorOptions & { readonly awaited?: boolean } = {}) {
    super(message, options);
    this.awaited = options.awaited ?? false;
  }
}

/**
 * The CAs in `pem`, each as PEM.
 *
 * @throws UnusableCa unless there are some, and all of them can be read; awaited when it is empty
 */
export function certificatesIn(pem: string): readonly string[] {
  if (pem.trim() === '') throw new UnusableCa('is empty', { awaited: true });
  const certificates = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g);
  if (certificates === null) throw new UnusableCa('holds no PEM certificate');
  try {
    for (const each of certificates) new X509Certificate(each);
  } catch (error) {
    throw new UnusableCa('holds a damaged certificate', { cause: error });
  }
  return certificates;
}

/** @throws UnusableCa unless it is a file of certificates; awaited when it is missing or empty */
export async function readCa(path: string): Promise<readonly string[]> {
  const pem = await readRegularFile(path, LARGEST_CA_FILE_BYTES).catch((error: unknown) => {
    if (!(error instanceof UnusableFile)) throw error;
    throw new UnusableCa(error.message, { cause: error, awaited: error.code === 'ENOENT' });
  });
  return certificatesIn(pem.toString('utf8'));
}

/**
 * Reads a CA file each time it is called, since it may be rotated. A file that is missing or empty is
 * being written: until it is there, the CAs of the last reading stay in force.
 *
 * @throws UnusableCa (the function that is returned)
 */
export function caReader(path: string): () => Promise<readonly string[]> {
  let before: readonly string[] | undefined;
  return async () => {
    try {
      before = await readCa(path);
      return before;
    } catch (error) {
      if (error instanceof UnusableCa && error.awaited && before !== undefined) return before;
      throw error;
    }
  };
}
