import { describe, expect, test } from 'vitest';
import { ask, grant, nowMs, refusal, start } from './ask.ts';
import * as faults from './faults.ts';

describe('faults', () => {
  test('come in their order, then the standing one, then none', async () => {
    const entra = await start();
    entra.faults.next(faults.tooManyRequests(), 2);
    entra.faults.next(faults.temporarilyUnavailable());
    entra.faults.always(faults.serviceUnavailableHtml());
    const statuses: number[] = [];
    for (let count = 0; count < 5; count += 1) statuses.push((await ask(entra)).status);
    entra.faults.always(undefined);
    statuses.push((await ask(entra)).status);
    expect(statuses).toEqual([429, 429, 500, 503, 503, 200]);
  });

  test.each<[string, faults.Fault, number, Record<string, string | null>, RegExp]>([
    [
      'a throttle',
      faults.tooManyRequests('60'),
      429,
      { 'retry-after': '60' },
      /^Too Many Requests$/,
    ],
    [
      'a bare throttle',
      faults.tooManyRequests(),
      429,
      { 'retry-after': null },
      /^Too Many Requests$/,
    ],
    [
      'a gateway',
      faults.serviceUnavailableHtml('5'),
      503,
      { 'retry-after': '5' },
      /^<!DOCTYPE html>/,
    ],
    ['a captive portal', faults.captivePortal(), 200, {}, /^<!DOCTYPE html>/],
    [
      'a redirect',
      faults.redirect('https://elsewhere/'),
      302,
      { location: 'https://elsewhere/' },
      /^$/,
    ],
    ['an outage', faults.temporarilyUnavailable(), 500, {}, /"error":"temporarily_unavailable"/],
    [
      'conditional access',
      faults.aadsts(53003, 400, 'invalid_grant', 'Access has been blocked.', {
        suberror: 'message_only',
        claims: '{"access_token":{}}',
      }),
      400,
      {},
      /AADSTS53003: Access has been blocked\. Trace ID: .*"suberror":"message_only"/,
    ],
    ['anything else', { kind: 'answer', status: 418, body: 'teapot' }, 418, {}, /^teapot$/],
  ])('can be %s', async (_case, fault, status, headers, body) => {
    const entra = await start();
    entra.faults.next(fault);
    const response = await ask(entra);
    expect(response.status).toBe(status);
    for (const [name, value] of Object.entries(headers)) {
      expect(response.headers.get(name)).toBe(value);
    }
    expect(await response.text()).toMatch(body);
    expect(entra.requests[0]?.answered).toBe(status);
    expect(entra.issued).toEqual([]);
  });

  test('can truncate the JSON within the access token', async () => {
    const entra = await start();
    entra.faults.next(faults.truncatedJson());
    const body = await (await ask(entra)).text();
    expect(() => JSON.parse(body)).toThrow(SyntaxError);
    expect(body).toContain(entra.issued[0]?.slice(0, 500));
  });

  test('can mutate the body of a good answer', async () => {
    const entra = await start();
    entra.faults.next({
      kind: 'mutate',
      change: (body) => ({ ...body, expires_in: String(body.expires_in) }),
    });
    expect((await grant(entra)).expires_in).toBe('3599');
  });

  test('can issue the same token again, as much older as it is', async () => {
    let clockMs = nowMs;
    const entra = await start({ now: () => clockMs });
    const first = await grant(entra);
    clockMs += 600_000;
    entra.faults.next({ kind: 'same-token' });
    const second = await grant(entra);
    expect(second.access_token).toBe(first.access_token);
    expect(second.expires_in).toBe(2999);
    expect(entra.issued).toHaveLength(1);
    expect(entra.requests[1]?.issued).toEqual(entra.requests[0]?.issued);
  });

  test('can send a body of a given size, in JSON', async () => {
    const entra = await start();
    entra.faults.next(faults.bigBody(100_000));
    const body = await (await ask(entra)).text();
    expect(body).toHaveLength(100_000);
    expect(JSON.parse(body)).not.toHaveProperty('access_token');
  });

  test('can send a body without end', async () => {
    const entra = await start();
    entra.faults.next(faults.endlessBody());
    const { body } = await ask(entra);
    let received = 0;
    for await (const chunk of body ?? []) {
      received += chunk.length;
      if (received > 1_000_000) break;
    }
    expect(received).toBeGreaterThan(1_000_000);
  });

  test('can drip a good answer', async () => {
    const entra = await start();
    entra.faults.next({ kind: 'drip', intervalMs: 0 });
    expect((await grant(entra)).access_token).toBe(entra.issued[0]);
  });

  test('can reset the connection before an answer', async () => {
    const entra = await start();
    entra.faults.next({ kind: 'reset', when: 'before' });
    await expect(ask(entra)).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } });
    expect(entra.requests[0]?.answered).toBe('reset');
  });

  test('can break off in the middle of the body', async () => {
    const entra = await start();
    entra.faults.next({ kind: 'reset', when: 'mid-body' });
    const response = await ask(entra);
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow('terminated');
    expect(entra.requests[0]).toMatchObject({
      answered: 'reset',
      issued: { token: entra.issued[0] },
    });
  });

  test('can hold a request until released', async () => {
    const entra = await start();
    const arrived = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    entra.faults.next({
      kind: 'hold',
      until: () => {
        arrived.resolve();
        return released.promise;
      },
    });
    const response = ask(entra);
    await arrived.promise;
    expect(entra.requests).toEqual([]);
    released.resolve();
    expect((await response).status).toBe(200);
  });

  test.each<faults.Fault>([
    { kind: 'drip' },
    { kind: 'same-token' },
    { kind: 'mutate', change: (body) => body },
    faults.truncatedJson(),
    { kind: 'reset', when: 'mid-body' },
  ])('of the kind $kind spoil no refusal', async (fault) => {
    const entra = await start();
    entra.faults.next(fault);
    expect(await refusal(entra, { assertion: 'not a JWT' })).toEqual([400, 50027]);
  });
});
