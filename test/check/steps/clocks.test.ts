import { describe, expect, test } from 'vitest';
import { type AuthorityClock, checkClocks } from '../../../src/check/steps/clocks.ts';
import { parseFederatedToken } from '../../../src/federated-token/federated-token.ts';
import { manualClock } from '../../support-units/manual-clock.ts';
import { unsignedJwt } from '../../support-units/unsigned-jwt.ts';
import { contextWith, shown } from '../context.ts';

const nowMs = Date.parse('2026-11-24T12:00:00Z');
const nowSeconds = nowMs / 1000;

/** What is said when the token has these claims, and the authority's clock is so many seconds ahead. */
function textOf(claims: object | undefined, leadSeconds?: number): string | undefined {
  const context = contextWith({}, { clock: manualClock({ wallMs: nowMs, monotonicMs: 0 }) });
  const federated = claims && parseFederatedToken(unsignedJwt(claims), '/token');
  const authority: AuthorityClock | undefined =
    leadSeconds === undefined ? undefined : { host: 'login.example', leadMs: leadSeconds * 1000 };
  return shown([checkClocks(context, federated, authority)])[0];
}

const issued = (agoSeconds: number) => ({
  iat: nowSeconds - agoSeconds,
  nbf: nowSeconds - agoSeconds,
});

describe('clocks agree', () => {
  test.each<[string, object | undefined, number | undefined, string]>([
    [
      'with both witnesses',
      issued(720),
      0.2,
      'the clock of login.example agrees within 1 s; the federated token became valid 12 min ago',
    ],
    ['with the authority alone', undefined, -4.4, 'the clock of login.example agrees within 4 s'],
    ['with the token alone', issued(720), undefined, 'the federated token became valid 12 min ago'],
    ['with a token without times', {}, 300, 'the clock of login.example agrees within 300 s'],
    [
      'as far as Entra minds',
      issued(-300),
      -300,
      'agrees within 300 s; the federated token becomes valid in 300 s',
    ],
    ['with a token that only has nbf', { nbf: nowSeconds - 5 }, undefined, 'valid 5 s ago'],
  ])('%s', (_case, claims, leadSeconds, text) => {
    expect(textOf(claims, leadSeconds)).toMatch(new RegExp(`^✓ .*${text}$`));
  });
});

describe('a clock is off', () => {
  test.each<[string, object | undefined, number | undefined, string]>([
    [
      "the node's, behind",
      issued(-601),
      600,
      'clock-off .* node is 600 s behind the clock of login.example',
    ],
    [
      "the node's, ahead",
      issued(7200),
      -600,
      'clock-off .* node is 600 s ahead of the clock of login.example',
    ],
    ["the node's, without a token", undefined, 301, 'clock-off .* node is 301 s behind'],
    [
      "the cluster's",
      issued(-601),
      1,
      'issuer-clock-ahead .* in 601 s, by the clocks of this node and of login.example',
    ],
    [
      'one of two',
      issued(-601),
      undefined,
      'token-from-the-future .* in 601 s by the clock of this node',
    ],
    [
      'one of two, by nbf',
      { iat: nowSeconds, nbf: nowSeconds + 601 },
      undefined,
      'token-from-the-future .* 601 s',
    ],
  ])('%s', (_whose, claims, leadSeconds, text) => {
    const said = textOf(claims, leadSeconds);
    expect(said).toMatch(new RegExp(`^✗ ${text}`));
    expect(said).toMatch(/\(clock\.wrong\).* → .*NTP/);
  });
});

test.each<[string, object | undefined]>([
  ['nothing', undefined],
  ['a token without dates', { iat: 'yesterday' }],
])('of %s nothing can be said', (_what, claims) => {
  expect(textOf(claims)).toBe('– nothing to compare this clock with');
});
