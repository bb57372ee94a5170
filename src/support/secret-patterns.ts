/**
 * A JWT, or its beginning: `{"` in base64url, and what follows. Within a word only what is long enough
 * for the header of one.
 */
const JWT = /(?<![A-Za-z\d])eyJ[\w-]{8}[\w.-]*|eyJ[\w-]{13}[\w.-]*/g;

/** What Entra makes for `az ad app credential reset`: three characters, a digit, `Q~` and more. */
const CLIENT_SECRET = /[\w.~-]{3}\dQ~[\w.~-]{20,}/g;

export function jwtsIn(text: string): readonly string[] {
  return text.match(JWT) ?? [];
}

export function clientSecretsIn(text: string): readonly string[] {
  return text.match(CLIENT_SECRET) ?? [];
}

export function holdsJwt(text: string): boolean {
  return text.search(JWT) >= 0;
}

export function holdsClientSecret(text: string): boolean {
  return text.search(CLIENT_SECRET) >= 0;
}

/** The same as `JWT`, of any length at the start of a word: a text that was cut may end in one. */
const CUT_JWT = /(?<![A-Za-z\d])eyJ[\w.-]+|eyJ[\w-]{13}[\w.-]*/g;

/** `text` with every JWT, or the beginning of one, replaced by `[redacted]`. */
export function withoutJwts(text: string): string {
  return text.replaceAll(CUT_JWT, '[redacted]');
}
