import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';

export const SCRAM_MECHANISM = 'SCRAM-SHA-256';

/** The header of a client that does not support channel binding. */
const GS2_HEADER = 'n,,';

/** Far more than the 4096 of PostgreSQL: a hostile server must not keep us busy. */
const MOST_ITERATIONS = 100_000;

/** The login of one session with SCRAM-SHA-256: RFC 5802 and RFC 7677. */
export interface ScramExchange {
  readonly clientFirst: string;
  /** The proof that we know the password; `undefined` when the server's message is invalid. */
  clientFinal(serverFirst: string, password: string): string | undefined;
  /** Whether the server proved that it knows the password, too. */
  verifies(serverFinal: string): boolean;
}

/** @param user empty for PostgreSQL, which knows the name from the startup message */
export function createScramExchange(nonce: string, user = ''): ScramExchange {
  const clientFirstBare = `n=${user},r=${nonce}`;
  let serverSignature: string | undefined;
  return {
    clientFirst: GS2_HEADER + clientFirstBare,
    clientFinal(serverFirst, password) {
      const { r: bothNonces = '', s: salt, i = '' } = attributesOf(serverFirst);
      const iterations = /^\d{1,6}$/.test(i) ? Number(i) : 0;
      const extendsOurNonce = bothNonces.startsWith(nonce) && bothNonces.length > nonce.length;
      if (!extendsOurNonce || !salt || iterations < 1 || iterations > MOST_ITERATIONS)
        return undefined;
      const withoutProof = `c=${base64(GS2_HEADER)},r=${bothNonces}`;
      const signed = `${clientFirstBare},${serverFirst},${withoutProof}`;
      const saltBytes = Buffer.from(salt, 'base64');
      const salted = pbkdf2Sync(prepared(password), saltBytes, iterations, 32, 'sha256');
      const clientKey = hmac(salted, 'Client Key');
      const clientSignature = hmac(createHash('sha256').update(clientKey).digest(), signed);
      const proof = clientKey.map((byte, index) => byte ^ (clientSignature[index] ?? 0));
      serverSignature = hmac(hmac(salted, 'Server Key'), signed).toString('base64');
      return `${withoutProof},p=${Buffer.from(proof).toString('base64')}`;
    },
    verifies(serverFinal) {
      return serverSignature !== undefined && attributesOf(serverFinal)['v'] === serverSignature;
    },
  };
}

/** The steps of SASLprep (RFC 4013) that change a password; PostgreSQL enforces none of the others. */
function prepared(password: string): string {
  return password
    .replaceAll(/[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/g, ' ')
    .replaceAll(
      /\u00ad|\u034f|\u1806|[\u180b-\u180d]|\u200c|\u200d|\u2060|[\ufe00-\ufe0f]|\ufeff/g,
      '',
    )
    .normalize('NFKC');
}

function attributesOf(message: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    message.split(',').map((attribute) => [attribute.slice(0, 1), attribute.slice(2)]),
  );
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
