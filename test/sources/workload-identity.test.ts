import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Assertion } from '../../src/entra/exchange.ts';
import { createWorkloadIdentity } from '../../src/sources/workload-identity.ts';
import { PgpassdError } from '../../src/support/errors.ts';
import { Secret } from '../../src/support/secret.ts';
import { manualClock } from '../support-units/manual-clock.ts';
import { unsignedJwt } from '../support-units/unsigned-jwt.ts';

const nowMs = Date.parse('2026-11-24T12:00:00Z');
const clock = manualClock({ wallMs: nowMs, monotonicMs: 0 });
const claims = {
  iss: 'https://issuer.example/',
  sub: 'system:serviceaccount:shop:legacy-app',
  aud: ['api://AzureADTokenExchange'],
  exp: nowMs / 1000 + 3600,
};
const accessToken = {
  token: new Secret('an access token'),
  life: { since: clock.now(), delayMs: 3_599_000 },
};
const { signal } = new AbortController();

async function tokenFile(content: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'pgpassd-test-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const path = join(directory, 'token');
  await writeFile(path, content);
  return path;
}

describe('a workload identity', () => {
  test('exchanges what the file holds at that moment', async () => {
    const sent: string[] = [];
    const exchange = async ({ assertion }: Assertion) => {
      sent.push(assertion.unwrap());
      return accessToken;
    };
    const before = unsignedJwt({ ...claims, jti: 'before' });
    const after = unsignedJwt({ ...claims, jti: 'after' });
    const path = await tokenFile(before);
    const identity = createWorkloadIdentity(path, exchange, clock);

    expect(await identity.fetch(signal)).toMatchObject({ token: accessToken.token });
    await writeFile(path, `${after}\n`);
    await identity.fetch(signal);
    expect(sent).toEqual([before, after]);
  });

  describe('answered that its assertion is out of time', () => {
    const outOfTime = new PgpassdError('entra.refused', 'Entra refused', 'Look at the clocks.', {
      details: { aadsts: 'AADSTS700024' },
    });
    const stale = unsignedJwt({ ...claims, jti: 'stale' });
    const rotated = unsignedJwt({ ...claims, jti: 'rotated' });

    const answering = async (during: (path: string) => Promise<void>) => {
      const sent: string[] = [];
      const path = await tokenFile(stale);
      const identity = createWorkloadIdentity(
        path,
        async ({ assertion }) => {
          sent.push(assertion.unwrap());
          await during(path);
          if (sent.length < 3) throw outOfTime;
          return accessToken;
        },
        clock,
      );
      return { sent, identity };
    };

    test('sends a token that was rotated meanwhile at once, and only that one', async () => {
      const { sent, identity } = await answering((path) => writeFile(path, rotated));
      await expect(identity.fetch(signal)).rejects.toBe(outOfTime);
      expect(sent).toEqual([stale, rotated]);
      expect(identity.lastSent()?.assertion.unwrap()).toBe(rotated);
    });

    test('does not send the same token again', async () => {
      const { sent, identity } = await answering(async () => undefined);
      await expect(identity.fetch(signal)).rejects.toBe(outOfTime);
      expect(sent).toEqual([stale]);
    });

    test('tells what Entra said when the file has gone meanwhile', async () => {
      const { sent, identity } = await answering((path) => writeFile(path, ''));
      await expect(identity.fetch(signal)).rejects.toBe(outOfTime);
      expect(sent).toEqual([stale]);
    });
  });

  test('tells Entra what the token says of itself', async () => {
    let received: Assertion['identity'] | undefined;
    const path = await tokenFile(unsignedJwt(claims));
    const identity = createWorkloadIdentity(
      path,
      async (assertion) => {
        received = assertion.identity;
        return accessToken;
      },
      clock,
    );
    await identity.fetch(signal);
    expect(received).toEqual({ issuer: claims.iss, subject: claims.sub, audience: claims.aud });
  });

  test('does not send a token that has expired', async () => {
    let asked = 0;
    const path = await tokenFile(unsignedJwt({ ...claims, exp: nowMs / 1000 }));
    const identity = createWorkloadIdentity(
      path,
      async () => {
        asked += 1;
        return accessToken;
      },
      clock,
    );
    await expect(identity.fetch(signal)).rejects.toMatchObject({
      code: 'federated-token.expired',
    });
    expect(asked).toBe(0);
    expect(identity.lastSent()).toBeUndefined();
  });

  test('says that the file is missing, and sends nothing', async () => {
    const identity = createWorkloadIdentity('/nowhere/token', async () => accessToken, clock);
    await expect(identity.fetch(signal)).rejects.toMatchObject({
      code: 'federated-token.missing',
    });
    expect(identity.lastSent()).toBeUndefined();
  });

  test('remembers what it sent, also when Entra refused it', async () => {
    const token = unsignedJwt(claims);
    const refused = new PgpassdError('entra.refused', 'Entra refused the exchange', 'Look.');
    const identity = createWorkloadIdentity(
      await tokenFile(token),
      async () => {
        throw refused;
      },
      clock,
    );
    expect(identity.lastSent()).toBeUndefined();
    await expect(identity.fetch(signal)).rejects.toBe(refused);
    expect(identity.lastSent()?.assertion.unwrap()).toBe(token);
  });
});
