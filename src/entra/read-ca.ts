import { readRegularFile, UnusableFile } from '../support/regular-file.ts';
import { UnusableCa } from './trust.ts';

/** Several times what all public CAs take together; a larger file is the wrong file. */
const LARGEST_CA_FILE_BYTES = 4 * 1024 * 1024;

/** @throws UnusableCa when the file cannot be read; awaited when it does not exist */
export async function readCa(path: string): Promise<string> {
  try {
    return (await readRegularFile(path, LARGEST_CA_FILE_BYTES)).toString('utf8');
  } catch (error) {
    if (!(error instanceof UnusableFile)) throw error;
    throw new UnusableCa(error.message, { cause: error, awaited: error.code === 'ENOENT' });
  }
}
