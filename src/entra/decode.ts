import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, inflateRaw, zstdDecompress } from 'node:zlib';

/** Why a body cannot be read, as the end of a sentence that begins with who sent it. */
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
  // The format of zlib by the standard, without its header by many.
  deflate: async (body, options) => {
    const isZlib = ((body[0] ?? 0) & 0x0f) === 8 && body.readUInt16BE(0) % 31 === 0;
    return await promisify(isZlib ? inflate : inflateRaw)(body, options);
  },
  br: promisify(brotliDecompress),
  zstd: promisify(zstdDecompress),
};

/** More than one coding is odd already. */
const MOST_CODINGS = 3;

/**
 * The body as it was before `contentEncoding`, a list with the last coding applied at its end.
 *
 * @throws UndecodableBody when it is none of ours, damaged, or longer than `largestBytes`
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
  // A bodiless answer may name a coding all the same.
  if (body.length === 0) return body;
  const shown = JSON.stringify(contentEncoding.slice(0, 60));
  const unknown = () => new UndecodableBody(`answered with the content-encoding ${shown}`);
  if (codings.length > MOST_CODINGS) throw unknown();
  let decoded = body;
  for (const coding of codings.toReversed()) {
    const decode = Object.hasOwn(decoders, coding) ? decoders[coding] : undefined;
    if (decode === undefined) throw unknown();
    decoded = await decode(decoded, { maxOutputLength: largestBytes }).catch((error: unknown) => {
      const tooLarge = (error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE';
      throw new UndecodableBody(
        tooLarge
          ? `answered with more than ${largestBytes / 1024 / 1024} MiB in the content-encoding ${shown}`
          : `answered with a damaged body in the content-encoding ${shown}`,
      );
    });
  }
  return decoded;
}
