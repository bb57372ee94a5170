import { expect, test } from 'vitest';
import { KnownSecrets } from '../../src/support/known-secrets.ts';
import { Secret } from '../../src/support/secret.ts';
import { unsignedJwt } from './unsigned-jwt.ts';

const tokenOf = (index: number) => `t${index}-`.repeat(8);

test('a text is cleared of all of them, and of any other JWT', () => {
  const secrets = new KnownSecrets();
  secrets.add(new Secret(tokenOf(1)), new Secret(tokenOf(2)));
  const text = `${tokenOf(1)}, ${tokenOf(2)} and ${unsignedJwt({ sub: 'else' })}`;
  expect(secrets.redactFrom(text)).toBe('[redacted], [redacted] and [redacted]');
});

test('the latest are kept, however many there were, and one that is met again counts as late', () => {
  const secrets = new KnownSecrets();
  for (let index = 0; index < 1000; index += 1) {
    secrets.add(new Secret(tokenOf(index)), new Secret(tokenOf(7)));
  }
  expect(secrets.all.length).toBeLessThan(100);
  expect(secrets.redactFrom(tokenOf(999))).toBe('[redacted]');
  expect(secrets.redactFrom(tokenOf(7))).toBe('[redacted]');
});

test('what was in place stays known, however many tokens come, and however often it stood there', () => {
  const secrets = new KnownSecrets();
  const password = 'a-password-of-another-line';
  const lines = Array.from({ length: 40 }, () => new Secret(tokenOf(1)));
  secrets.addInPlace([new Secret(password), ...lines]);
  for (let index = 2; index < 1000; index += 1) secrets.add(new Secret(tokenOf(index)));
  expect(secrets.redactFrom(`${password} ${tokenOf(1)}`)).toBe('[redacted] [redacted]');
});

test('a short password is not looked for: it stands in many a text by chance', () => {
  const secrets = new KnownSecrets();
  secrets.add(new Secret('the'), new Secret(''));
  expect(secrets.redactFrom('the other')).toBe('the other');
});
