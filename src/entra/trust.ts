import { X509Certificate } from 'node:crypto';

/** CAs to trust, and the text they were read from. */
export interface Trust {
  readonly pem: string;
  readonly certificates: readonly string[];
}

/** What is wrong with a CA, as the end of a sentence that begins with its setting's name. */
export class UnusableCa extends Error {
  override readonly name = 'UnusableCa';
  /** Whether it is only not there yet, as in a volume that is still to be filled. */
  readonly awaited: boolean;

  constructor(message: string, options: ErrorOptions & { readonly awaited?: boolean } = {}) {
    super(message, options);
    this.awaited = options.awaited ?? false;
  }
}

/** @throws UnusableCa unless `pem` holds certificates, and all of them can be read */
export function trustIn(pem: string): Trust {
  const certificates = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g);
  if (certificates === null) throw new UnusableCa('holds no PEM certificate');
  try {
    for (const each of certificates) new X509Certificate(each);
  } catch (error) {
    throw new UnusableCa('holds a damaged certificate', { cause: error });
  }
  return { pem, certificates };
}

/**
 * Whom to trust after a CA file that may be rotated at any time was read again. An empty file is one
 * that is being written: `current` holds on. The same object is returned when nothing changed.
 *
 * @throws UnusableCa when the file is empty and there is no `current`, or as `trustIn` does
 */
export function trustAfterReading(pem: string, current: Trust | undefined): Trust {
  if (pem.trim() !== '') return pem === current?.pem ? current : trustIn(pem);
  if (current === undefined) throw new UnusableCa('is empty', { awaited: true });
  return current;
}
