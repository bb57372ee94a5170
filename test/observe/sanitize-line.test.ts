import { expect, test } from 'vitest';
import { sanitizeLine } from '../../src/observe/event-logger.ts';
import { Secret } from '../../src/support/secret.ts';
import { unsignedJwt } from '../support-units/unsigned-jwt.ts';

const secret = new Secret('x7Gq2Lw9Zt4Rk1Vb8Nc3Yd6');

test('every text of a line is printable, bounded and without secrets; the rest is as it was', () => {
  const line = sanitizeLine(
    {
      level: 'info',
      event: 'federated-token.found',
      message: 'found\u001b[2J it\nfatal: x7Gq2Lw9Zt4Rk1Vb8Nc3Yd6',
      fields: {
        issuer: 'https://a\u202eb/',
        subject: unsignedJwt({ sub: 'me' }),
        audience: Array.from({ length: 1_000 }, () => 'a\u0085'),
        long: 'x'.repeat(1_000_000),
        refreshing: true,
        seconds: 1.5,
        nothing: undefined,
      },
    },
    [secret],
  );
  expect(line).toEqual({
    level: 'info',
    event: 'federated-token.found',
    message: 'found[2J itfatal: [redacted]',
    fields: {
      issuer: 'https://a\ufffdb/',
      subject: '[redacted]',
      audience: [...Array.from({ length: 20 }, () => 'a\ufffd'), '…'],
      long: `${'x'.repeat(1_000)}…`,
      refreshing: true,
      seconds: 1.5,
      nothing: undefined,
    },
  });
});
