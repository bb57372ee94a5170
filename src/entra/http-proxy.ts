import { PgpassdError } from '../support/errors.ts';

/** Without a scheme it is HTTP, as for curl and Go; then there is nothing but user, password, host and port. */
const WITHOUT_SCHEME = /^[^/?#\s]+\/?$/;

/**
 * The URL of HTTPS_PROXY. Errors do not quote it: it may hold a password.
 *
 * @throws PgpassdError `config.invalid`
 */
export function httpProxyUrl(given: string): string {
  const text = given.trim();
  const [, scheme] = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text) ?? [];
  if (scheme !== undefined && /^socks/i.test(scheme)) {
    throw unusable('HTTPS_PROXY names a SOCKS proxy, which pgpassd does not speak to');
  }
  if (scheme === undefined ? !WITHOUT_SCHEME.test(text) : !/^https?$/i.test(scheme)) {
    throw unusable('HTTPS_PROXY is not the URL of an HTTP proxy');
  }
  const url = parse(scheme === undefined ? `http://${text}` : text);
  if (!decodes(url.username) || !decodes(url.password)) {
    throw unusable('HTTPS_PROXY has a % in its user or password that stands for nothing');
  }
  // A path means nothing to a proxy: curl and Go leave it out as well.
  return `${url.protocol}//${userOf(url)}${url.host}/`;
}

function userOf({ username, password }: URL): string {
  if (username === '' && password === '') return '';
  return password === '' ? `${username}@` : `${username}:${password}@`;
}

function parse(text: string): URL {
  try {
    return new URL(text);
  } catch {
    throw unusable('HTTPS_PROXY is not the URL of an HTTP proxy');
  }
}

function decodes(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** Without a cause: that would hold the URL. */
function unusable(message: string): PgpassdError {
  return new PgpassdError(
    'config.invalid',
    message,
    'Write it such as http://proxy.example.com:3128 or http://USER:PASSWORD@proxy.example.com:3128, with %25 for a % of the password, %40 for an @, %2F for a /.',
  );
}
