import { expect, test } from 'vitest';
import { formatAddress, isPort, meansEveryAddress } from '../../src/support/address.ts';

test.each([
  ['server.example', 'server.example:6432'],
  ['10.0.0.4', '10.0.0.4:6432'],
  ['::1', '[::1]:6432'],
])('%s is written %s', (host, expected) => {
  expect(formatAddress({ host, port: 6432 })).toBe(expected);
});

test.each(['1', '5432', '65535', '00080'])('%s is a port', (text) => {
  expect(isPort(text)).toBe(true);
});

test.each(['', '0', '65536', '-1', '1e3', ' 5432', '5432a'])('"%s" is none', (text) => {
  expect(isPort(text)).toBe(false);
});

test.each([
  ['', true],
  ['0.0.0.0', true],
  ['::', true],
  ['127.0.0.1', false],
  ['::1', false],
])('"%s" means every address: %s', (host, every) => {
  expect(meansEveryAddress(host)).toBe(every);
});
