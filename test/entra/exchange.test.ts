import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../src/support/errors.ts';
import * as faults from '../support/fake-entra/faults.ts';
import {
  endless,
  exchangeWith,
  failureOf,
  federatedToken,
  nowMs,
  startEntra,
} from './exchange-parts.ts';

const GUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;

describe('an exchange', () => {
  test('brings the access token and its life', async () => {
    const entra = await startEntra({ accessTokenLifetimeSeconds: 5_000 });
    const { exchange, clock } = await exchangeWith(entra);
    const token = await exchange(await federatedToken(entra), endless);
    expect(token.token.unwrap()).toBe(entra.issued[0]);
    expect(token.life.delayMs).toBe(4_999_000);
    expect(token).not.toHaveProperty('refreshInMs');
    expect(clock.sleptMs).toEqual([10_000]);
  });

  test('brings when the server wishes to be asked again', async () => {
    const entra = await startEntra({ refreshInSeconds: 1_800 });
    const { exchange } = await exchangeWith(entra);
    const token = await exchange(await federatedToken(entra), endless);
    expect(token.refreshInMs).toBe(1_800_000);
  });

  test('brings a token of twenty thousand bytes whole', async () => {
    const entra = await startEntra({ accessTokenBytes: 20_000 });
    const { exchange } = await exchangeWith(entra);
    const { token } = await exchange(await federatedToken(entra), endless);
    expect(token.unwrap().length).toBeGreaterThan(19_000);
    await expect(entra.verifyAccessToken(token.unwrap())).resolves.toMatchObject({
      appid: entra.clientId,
    });
  });

  test('names itself, and a new id for each request', async () => {
    const entra = await startEntra();
    const { exchange } = await exchangeWith(entra);
    await exchange(await federatedToken(entra), endless);
    await exchange(await federatedToken(entra), endless);
    const ids = entra.requests.map(({ correlationId }) => correlationId);
    expect(ids).toEqual([expect.stringMatching(GUID), expect.stringMatching(GUID)]);
    expect(ids[0]).not.toBe(ids[1]);
    expect(entra.requests[0]?.headers['user-agent']).toBe('pgpassd/1.2.3');
  });

  test('keeps no connection for later', async () => {
    const entra = await startEntra();
    const { exchange } = await exchangeWith(entra);
    await exchange(await federatedToken(entra), endless);
    expect(entra.requests[0]?.headers.connection).toBe('close');
  });
});

describe('a refusal', () => {
  test.each([
    ['subject', { subject: 'system:serviceaccount:shop:other' }, 'AADSTS700213'],
    ['issuer', { issuer: 'https://other.example/' }, 'AADSTS700211'],
    ['audience', { audience: 'api://other' }, 'AADSTS700212'],
  ])('for another %s names it as the token has it', async (_claim, credential, aadsts) => {
    const entra = await startEntra();
    const trusted = await startEntra({ identity: { ...credential } });
    const { exchange } = await exchangeWith(trusted);
    const federated = await federatedToken(entra);
    const error = await failureOf(exchange(federated, endless), entra);
    expect(error).toMatchObject({ code: 'entra.refused', details: { status: 401, aadsts } });
    expect(error.message).toContain(aadsts);
    const { issuer, subject, audience } = federated.identity;
    const own = { AADSTS700213: subject, AADSTS700211: issuer, AADSTS700212: audience[0] }[aadsts];
    expect(error.remedy).toContain(own);
  });

  test('carries the ids under which Microsoft finds it', async () => {
    const entra = await startEntra({ federatedCredentials: [] });
    const { exchange } = await exchangeWith(entra);
    const error = await failureOf(exchange(await federatedToken(entra), endless), entra);
    expect(error.details).toEqual({
      nature: 'propagating',
      status: 401,
      aadsts: 'AADSTS70025',
      correlationId: entra.requests[0]?.correlationId,
      traceId: expect.stringMatching(GUID),
    });
  });

  test.each([
    ['whole', (assertion: string) => assertion],
    ['without its end', (assertion: string) => assertion.slice(0, -30)],
    ['in quotes and twice', (assertion: string) => `'${assertion}' '${assertion}'`],
    ['cut in lines', (assertion: string) => assertion.replaceAll(/.{40}/g, '$& ')],
  ])('that quotes the assertion, %s, shows no piece of it', async (_how, quote) => {
    const entra = await startEntra();
    const { exchange } = await exchangeWith(entra);
    const federated = await federatedToken(entra);
    const quoted = quote(federated.assertion.unwrap());
    entra.faults.next(faults.aadsts(50027, 400, 'invalid_request', `No JWT: ${quoted}`));
    const error = await failureOf(exchange(federated, endless), entra);
    expect(error).toMatchObject({ code: 'entra.refused', details: { aadsts: 'AADSTS50027' } });
    expect(error.message).toContain('No JWT: ');
    expect(error.message).toContain('[redacted]');
  });
});

describe('an answer that is not good', () => {
  test.each<[string, faults.Fault, ErrorCode, object]>([
    ['a captive portal', faults.captivePortal(), 'entra.bad-answer', { status: 200 }],
    ['half a token', faults.truncatedJson(), 'entra.bad-answer', { status: 200 }],
    ['two megabytes', faults.bigBody(2 * 1024 * 1024), 'entra.bad-answer', {}],
    ['no end', faults.endlessBody(), 'entra.bad-answer', {}],
    ['an outage', faults.temporarilyUnavailable(), 'entra.unavailable', { aadsts: 'AADSTS90033' }],
    [
      'a gateway',
      faults.serviceUnavailableHtml('30'),
      'entra.unavailable',
      { retryAfterMs: 30_000 },
    ],
    ['a throttle', faults.tooManyRequests('120'), 'entra.throttled', { retryAfterMs: 120_000 }],
    [
      'a throttle until a date',
      faults.tooManyRequests(new Date(nowMs + 90_000).toUTCString()),
      'entra.throttled',
      { retryAfterMs: 90_000 },
    ],
    ['a break in mid-body', { kind: 'reset', when: 'mid-body' }, 'entra.unreachable', {}],
    ['a reset', { kind: 'reset', when: 'before' }, 'entra.unreachable', {}],
  ])('is reported as what it is: %s', async (_case, fault, code, details) => {
    const entra = await startEntra();
    const { exchange } = await exchangeWith(entra);
    entra.faults.next(fault);
    const error = await failureOf(exchange(await federatedToken(entra), endless), entra);
    expect(error).toMatchObject({ code, details });
    expect(error.remedy).not.toBe('');
    expect(entra.requests).toHaveLength(1);
  });

  test('does not spoil the next exchange', async () => {
    const entra = await startEntra();
    const { exchange } = await exchangeWith(entra);
    entra.faults.next({ kind: 'reset', when: 'mid-body' });
    const federated = await federatedToken(entra);
    await failureOf(exchange(federated, endless), entra);
    const { token } = await exchange(federated, endless);
    expect(token.unwrap()).toBe(entra.issued[1]);
  });

  test.each([301, 302, 307, 308])(
    'by a redirect (%i) does not carry the assertion away',
    async (status) => {
      const [entra, elsewhere] = [await startEntra(), await startEntra()];
      const { exchange } = await exchangeWith(entra);
      const location = new URL(`${entra.tenantId}/oauth2/v2.0/token`, elsewhere.authorityHost).href;
      entra.faults.next({ kind: 'answer', status, headers: { location }, body: '' });
      const error = await failureOf(exchange(await federatedToken(entra), endless), entra);
      expect(error).toMatchObject({ code: 'entra.bad-answer', details: { status } });
      expect(elsewhere.requests).toEqual([]);
    },
  );
});

describe('an authority that does not answer', () => {
  test('is unreachable when nothing listens', async () => {
    const entra = await startEntra();
    const { exchange } = await exchangeWith(entra);
    const federated = await federatedToken(entra);
    await entra.close();
    const error = await failureOf(exchange(federated, endless), entra);
    expect(error.code).toBe('entra.unreachable');
    expect(error.message).toContain(`127.0.0.1:${entra.port}`);
  });

  test.each<[string, faults.Fault]>([
    ['says nothing', { kind: 'hang' }],
    ['drips', { kind: 'drip', intervalMs: 50 }],
  ])('is given up at the deadline of the request when it %s', async (_case, fault) => {
    const entra = await startEntra();
    const { exchange, clock } = await exchangeWith(entra);
    entra.faults.next(fault);
    const arrived = entra.nextRequest();
    const exchanging = failureOf(exchange(await federatedToken(entra), endless), entra);
    const { correlationId } = await arrived;
    clock.elapse();
    const error = await exchanging;
    expect(error).toMatchObject({ code: 'entra.timeout', details: { correlationId } });
    expect(error.message).toContain('10 s');
    expect(clock.sleptMs).toEqual([10_000]);
  });

  test('is left at once when the caller stops, with the reason of the caller', async () => {
    const entra = await startEntra();
    const { exchange } = await exchangeWith(entra);
    entra.faults.next({ kind: 'hang' });
    const arrived = entra.nextRequest();
    const stop = new AbortController();
    const exchanging = exchange(await federatedToken(entra), stop.signal);
    await arrived;
    const reason = new Error('the process stops');
    stop.abort(reason);
    await expect(exchanging).rejects.toBe(reason);
  });

  test('is not asked at all when the caller has stopped before', async () => {
    const entra = await startEntra();
    const { exchange } = await exchangeWith(entra);
    const reason = new Error('the process stops');
    const exchanging = exchange(await federatedToken(entra), AbortSignal.abort(reason));
    await expect(exchanging).rejects.toBe(reason);
    expect(entra.requests).toEqual([]);
  });
});
