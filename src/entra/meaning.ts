import type { Nature } from '../support/errors.ts';
import { sanitizeValue } from '../support/text.ts';
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
    tenantId: sanitizeValue(identity.tenantId),
    clientId: sanitizeValue(identity.clientId),
    scope: sanitizeValue(identity.scope),
    issuer: sanitizeValue(identity.issuer ?? "the token's iss"),
    subject: sanitizeValue(identity.subject ?? "the token's sub"),
    audience: sanitizeValue(identity.audience.join(', ') || "the token's aud"),
  });
  return { nature, remedy: sentence + endings[nature] };
}
