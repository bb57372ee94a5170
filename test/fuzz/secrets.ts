import fc from 'fast-check';
import { unsignedJwt } from '../support-units/unsigned-jwt.ts';

const claims = { iss: 'https://issuer.example/', sub: 'system:serviceaccount:shop:app' };
const lives = { iat: 1_700_000_000, exp: 4_000_000_000 };

/** What the token file holds. */
export const assertion = unsignedJwt({ ...claims, ...lives, aud: ['api://AzureADTokenExchange'] });

/** What the token endpoint grants. */
export const issued = unsignedJwt({ ...claims, ...lives, aud: 'an-audience' });

const jwt = unsignedJwt({ ...claims, jti: 'another' });

/** As `az ad app credential reset` prints it. */
const clientSecret = 'p7K8Q~rT0vXn3mB5cZ1yLdW9eHsJuAqGfRiOkPxN';

/** As a generator of passwords makes it. */
const opaque = 'x7Gq2Lw9Zt4Rk1Vb8Nc3';

const keyBody = 'MC4CAQAwBQYDK2VwBCIEIB0r5u9pQ3Zk7yXw2VtNcL8aHsEo4GjT1iRmFbKdUxPq';

/** Only the place tells that it is a password. */
const password = 'correct.horse~battery.staple';

/** None of them may be printed, in whole or in pieces of 16 characters. */
export const secrets: readonly string[] = [
  assertion,
  issued,
  jwt,
  clientSecret,
  opaque,
  keyBody,
  password,
];

const pem = `-----BEGIN PRIVATE KEY-----\n${keyBody}\n-----END PRIVATE KEY-----\n`;

/** A secret as it gets into a setting by mistake: alone, or with what is around it elsewhere. */
export const misplacedSecret: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    jwt,
    assertion,
    clientSecret,
    opaque,
    pem,
    Buffer.from(pem).toString('base64'),
    ` ${jwt}\n`,
    `Bearer ${jwt}`,
    `"${jwt}"`,
    jwt.slice(0, 40),
    `${jwt.slice(0, 60)}\u200b${jwt.slice(60)}`,
    `{"access_token": "${jwt}", "expires_in": 3599}`,
  ),
  fc.constantFrom(
    `db.example.com:5432:*:app:${password}`,
    `db.example.com:5432:*:app:${password}\n`,
    `*:*:*:*:${password}`,
    `/var/run/postgresql:5432:shop:app:${password}`,
    `# the passfile\ndb.example.com:5432:*:app:${password}`,
    `postgresql://app:${password}@127.0.0.1/shop`,
    `https://app:${password}@127.0.0.1/`,
    `host=127.0.0.1 user=app password=${password}`,
    `host=127.0.0.1 user=app password='${password}'`,
    `psql postgresql://app:${password}@127.0.0.1/shop`,
    `127.0.0.1:5432:*:${opaque}`,
    `client_secret=${clientSecret}`,
    `https://127.0.0.1/${jwt}`,
    `$(${jwt})`,
  ),
);
