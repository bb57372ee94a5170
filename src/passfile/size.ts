import { errorOf, type Failure } from '../support/failure.ts';
import { passfileWouldBeTooLarge, passfileWouldHaveTooManyLines } from './causes.ts';
import { escapeText, LARGEST_PASSFILE_BYTES, MOST_PASSFILE_LINES } from './format.ts';
import { BYTES, type PassfileLayout } from './layout.ts';
import { hasTooManyLines } from './raw-lines.ts';

/** Less than any JWT that is signed with RSA, as Entra signs them: its signature alone has 342 characters. */
const SMALL_TOKEN_BYTES = 512;

/**
 * That a passfile of this layout can be read again, with the password that it is to hold; before there is one,
 * with room for a small token.
 *
 * @throws PgpassdError `config.invalid`
 */
export function assertSize(layout: PassfileLayout, path: string, password?: string): void {
  const objection = objectionToSize(layout, path, password);
  if (objection !== undefined) throw errorOf(objection);
}

/** Why it cannot, if so. */
export function objectionToSize(
  layout: PassfileLayout,
  path: string,
  password?: string,
): Failure | undefined {
  const without = layout.render('');
  const tokenBytes =
    password === undefined ? SMALL_TOKEN_BYTES : Buffer.byteLength(escapeText(password));
  // Before it is made: ten thousand lines of a long token do not fit into memory either.
  const sizeBytes = without.length + layout.managedLines * tokenBytes;
  if (sizeBytes > LARGEST_PASSFILE_BYTES) {
    return passfileWouldBeTooLarge({
      path,
      sizeKiB: Math.ceil(sizeBytes / 1024),
      tokenBytes,
      lines: layout.managedLines,
      limitKiB: LARGEST_PASSFILE_BYTES / 1024,
    });
  }
  return hasTooManyLines(without.toString(BYTES))
    ? passfileWouldHaveTooManyLines({ path, most: MOST_PASSFILE_LINES })
    : undefined;
}
