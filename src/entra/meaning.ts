import type { Nature } from '../support/errors.ts';
import type { RefusedIdentity, Remedy } from './remedies.ts';

/** What a failure is, before anybody's values are in the sentence. */
export interface Verdict {
  readonly nature: Nature;
  readonly remedy: Remedy;
}

/** The same in words for an operator: one sentence with its full stop. */
export interface Meaning {
  readonly nature: Nature;
  readonly remedy: string;
}

const endings: Readonly<Record<Nature, string>> = {
  transient: '; it is tried again by itself, and the token in place stays usable until it expires.',
  propagating:
    '; what was just created or changed takes some minutes to spread, and pgpassd keeps trying.',
  operator: '.',
  ours: '; otherwise report this with the correlation id.',
};

export function inWords({ nature, remedy }: Verdict, identity: RefusedIdentity): Meaning {
  const sentence = remedy({
    tenantId: word(identity.tenantId),
    clientId: word(identity.clientId),
    scope: word(identity.scope),
    issuer: word(identity.issuer ?? "the token's iss"),
    subject: word(identity.subject ?? "the token's sub"),
    audience: word(identity.audience.join(', ') || "the token's aud"),
  });
  return { nature, remedy: sentence + endings[nature] };
}

/** Control characters, marks that turn the direction of writing, half characters, ends of lines. */
export const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/u;

const LONGEST_WORD = 300;

/** Claims of a token that nobody verified are passed on as text of bounded length. */
export function word(value: string): string {
  const start = value.slice(0, LONGEST_WORD);
  const printable = start.replaceAll(new RegExp(UNPRINTABLE, 'gu'), '\ufffd');
  return start === value ? printable : `${printable}…`;
}
