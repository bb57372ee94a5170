import fc from 'fast-check';
import { parseFederatedToken } from '../../../src/federated-token/federated-token.ts';
import { decodeJwtClaims, numericDateMs } from '../../../src/support/jwt.ts';
import { Secret } from '../../../src/support/secret.ts';
import { sanitizeStderr } from '../../../src/token-command/failure.ts';
import { interpretOutput } from '../../../src/token-command/output.ts';
import { oddJwt, segment } from '../odd-jwt.ts';
import { holdsPiece, insist, isPresentable, outcome } from '../outcome.ts';
import { fuzz, type Texts } from '../target.ts';

const NOW = { wallMs: Date.parse('2026-11-24T12:00:00Z'), monotonicMs: 0 };
const claims = { iss: 'https://issuer.example/', sub: 'subject', aud: ['one'], exp: 1_795_521_600 };
const jwt = `eyJhbGciOiJSUzI1NiJ9.${segment(claims)}.c2lnbmF0dXJlLXRoYXQtaXMtbG9uZw`;
const pieces = ['.', '-', '_', '=', 'e30', 'eyJ', ' ', '{', '}'];

/** Just long enough, or not, to count as pieces of the token. */
const jwtPieces = [jwt, jwt.slice(30, 47), jwt.slice(-16), jwt.slice(50, 65)];

const tokenOf = (texts: Texts) => fc.oneof(texts([jwt, ` ${jwt}\n`], pieces), oddJwt);

const outputOf = (texts: Texts) =>
  texts(
    [
      jwt,
      `{"access_token": "${jwt}", "expires_in": 3599}`,
      `{"accessToken": "${jwt}", "expiresOn": "2026-11-24 13:00:00.000000", "expires_on": 1795521600}`,
      `{"status": {"token": "${jwt}", "expirationTimestamp": "2026-11-24T12:14:00Z"}}`,
    ],
    ['{', '}', '"', ':', ',', '[', 'null', '1e400', '-1', 'Z', '+14:00'],
  );

export const tokens = [
  fuzz('federated token', tokenOf, (content) => {
    const federated = outcome(
      () => parseFederatedToken(content, '/var/run/token'),
      (error) => isPresentable(error, /^federated-token\./, content),
    );
    if (federated === undefined) return;
    insist(/^[\w.-]+$/.test(federated.assertion.unwrap()), 'more than a JWT would be sent');
    // Throws a RangeError when it is not a date.
    new Date(federated.expiresAtMs ?? 0).toISOString();
  }),

  fuzz('JWT claims', tokenOf, (text) => {
    const decoded = decodeJwtClaims(text);
    if (decoded === undefined) return;
    for (const name of ['exp', 'iat']) new Date(numericDateMs(decoded, name) ?? 0).toISOString();
  }),

  fuzz("a token command's output", outputOf, (stdout) => {
    const fallbackLifetimeMs = stdout.length % 2 === 0 ? 900_000 : undefined;
    const issued = outcome(
      () => interpretOutput(stdout, { askedAt: NOW, fallbackLifetimeMs }),
      (error) => isPresentable(error, /^token-command\.bad-output$/, jwt),
    );
    if (issued === undefined) return;
    insist(issued.token.isPrintable(), 'the token would not fit one field of one line');
    const { delayMs } = issued.life;
    insist(delayMs > 0 && delayMs <= 366 * 86_400_000, 'no such life');
  }),

  fuzz(
    "a token command's standard error",
    (texts) => texts([`failed with ${jwt} for you`], [...pieces, ...jwtPieces, '\x1b[', '1;']),
    (stderr) => {
      const lines = sanitizeStderr(stderr, [new Secret(jwt)]);
      insist(!holdsPiece(lines.join(' '), jwt), 'a piece of the token gets into the log');
      insist(
        lines.every((each) => !/\p{Cc}/u.test(each)),
        'a line moves the cursor',
      );
    },
  ),

  fuzz(
    'redaction',
    (texts) => texts([jwt, `before ${jwt} after`, jwt + jwt], [...pieces, ...jwtPieces]),
    (text) => {
      const clean = new Secret(jwt).redactFrom(text);
      insist(!holdsPiece(clean, jwt), 'a piece of the secret survives');
    },
  ),
];
