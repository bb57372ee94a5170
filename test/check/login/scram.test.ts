import { describe, expect, test } from 'vitest';
import { createScramExchange } from '../../../src/check/login/scram.ts';

/** https://www.rfc-editor.org/rfc/rfc7677#section-3 */
const rfc = {
  nonce: 'rOprNGfwEbeRWgbNEkqO',
  clientFirst: 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO',
  serverFirst:
    'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
  clientFinal:
    'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
  serverFinal: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
};

describe('a SCRAM exchange', () => {
  test('is the one of RFC 7677', () => {
    const scram = createScramExchange(rfc.nonce, 'user');
    expect(scram.clientFirst).toBe(rfc.clientFirst);
    expect(scram.clientFinal(rfc.serverFirst, 'pencil')).toBe(rfc.clientFinal);
    expect(scram.verifies(rfc.serverFinal)).toBe(true);
  });

  test.each(['', 'v=', 'v=AAAA', 'e=other-error'])(
    'does not trust a server that answers %j',
    (serverFinal) => {
      const scram = createScramExchange(rfc.nonce, 'user');
      scram.clientFinal(rfc.serverFirst, 'pencil');
      expect(scram.verifies(serverFinal)).toBe(false);
    },
  );

  test('does not trust a server before there is a proof', () => {
    expect(createScramExchange(rfc.nonce).verifies('v=')).toBe(false);
    expect(createScramExchange(rfc.nonce).verifies('')).toBe(false);
  });

  test.each([
    ['nothing', ''],
    ['a nonce that is not longer', `r=${rfc.nonce},s=W22Z,i=4096`],
    ['another nonce', 'r=other,s=W22Z,i=4096'],
    ['no salt', `r=${rfc.nonce}x,i=4096`],
    ['no iterations', `r=${rfc.nonce}x,s=W22Z,i=0`],
    ['too many iterations', `r=${rfc.nonce}x,s=W22Z,i=100001`],
    ['iterations that are no number', `r=${rfc.nonce}x,s=W22Z,i=1e3`],
  ])('gives no proof for %s', (_case, serverFirst) => {
    const scram = createScramExchange(rfc.nonce);
    expect(scram.clientFinal(serverFirst, 'pencil')).toBeUndefined();
  });

  test('takes passwords that look alike for the same', () => {
    const proofs = ['a\u00adb c\u2168', 'ab\u00a0cIX'].map((password) =>
      createScramExchange(rfc.nonce).clientFinal(rfc.serverFirst, password),
    );
    expect(proofs[0]).toBe(proofs[1]);
  });
});
