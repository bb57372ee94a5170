/** A POST body as the token endpoint sees it. */
export interface Form {
  readonly fields: Readonly<Record<string, string>>;
  /** Names that occur more than once. */
  readonly repeated: readonly string[];
  /** Encoded as a form at all: no reserved character in the clear, no broken percent escape. */
  readonly encoded: boolean;
}

const urlencoded = 'application/x-www-form-urlencoded';

/**
 * A body of any other content type reads as a form without fields, as it does to Entra. Entra
 * itself is lenient about reserved characters in the clear; the fake is not, so that a client that
 * forgets to encode is found out before a value holds an ampersand.
 */
export function readForm(contentType: string | undefined, body: string): Form {
  if (mediaType(contentType) !== urlencoded) return { fields: {}, repeated: [], encoded: true };
  const pairs = [...new URLSearchParams(body)];
  const names = pairs.map(([name]) => name);
  return {
    fields: Object.fromEntries(pairs),
    repeated: [...new Set(names.filter((name, index) => names.indexOf(name) !== index))],
    encoded: /^(?:[\w.~!'()*+&=-]|%[\dA-Fa-f]{2})*$/.test(body),
  };
}

const mediaType = (contentType = ''): string =>
  (contentType.split(';')[0] ?? '').trim().toLowerCase();
