import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Azure, startAzure } from '../postgres/azure.ts';
import {
  bigBody,
  captivePortal,
  type Fault,
  redirect,
  serviceUnavailableHtml,
  temporarilyUnavailable,
  tooManyRequests,
  truncatedJson,
} from '../support/fake-entra/faults.ts';
import { startFakeEntra } from '../support/fake-entra/server.ts';
import { startTimeoutMs } from '../support/postgres/server.ts';
import { endure, entraDoes, namesOf, type Outage } from './outage.ts';
import { noPsql, openPod } from './pod.ts';

let azure: Azure;

beforeAll(async () => {
  azure = await startAzure({});
}, startTimeoutMs);
afterAll(() => azure.close());

const json = (status: number, error: string): Fault => ({
  kind: 'answer',
  status,
  headers: { 'content-type': 'application/json; charset=utf-8' },
  body: JSON.stringify({ error, error_description: 'Said by no one in particular.' }),
});

const html = (status: number): Fault => ({
  kind: 'answer',
  status,
  headers: { 'content-type': 'text/html' },
  body: `<!DOCTYPE html><html><body><h1>${status}</h1></body></html>`,
});

const failing = (status: number) => ({
  told: { reason: 'entra.unavailable', status },
  remedy: /by itself/,
});

const throttling = {
  told: { reason: 'entra.throttled', status: 429 },
  remedy: /by itself/,
};

const notEntra = (fields: object = {}) => ({
  told: { reason: 'entra.bad-answer', ...fields },
  remedy: /AZURE_AUTHORITY_HOST \(--authority-host\) and the proxy/,
});

const soon = () => new Date(Date.now() + 3000).toUTCString();

const refused: readonly Outage[] = [
  {
    name: '403 in words of OAuth',
    told: { reason: 'entra.refused', status: 403 },
    remedy: /identity .* in tenant/,
    ...entraDoes(json(403, 'access_denied')),
  },
  { name: '403 in HTML', ...notEntra({ status: 403 }), ...entraDoes(html(403)) },
  { name: '408', ...failing(408), ...entraDoes(html(408)) },
];

const throttled: readonly Outage[] = [
  {
    name: '429 with seconds',
    ...throttling,
    waitSeconds: [2, 2.2],
    ...entraDoes(tooManyRequests('2')),
  },
  {
    name: '429 with a date',
    ...throttling,
    // A date has no fractions of a second.
    waitSeconds: [1, 3.3],
    ...entraDoes(() => tooManyRequests(soon())),
  },
  {
    name: '429 that does not say how long',
    ...throttling,
    waitSeconds: [60, 66],
    ...entraDoes(tooManyRequests()),
  },
];

const broken: readonly Outage[] = [
  { name: '500 in JSON', ...failing(500), ...entraDoes(json(500, 'server_error')) },
  { name: '500 in HTML', ...failing(500), ...entraDoes(html(500)) },
  { name: '502 in JSON', ...failing(502), ...entraDoes(json(502, 'server_error')) },
  { name: '502 in HTML', ...failing(502), ...entraDoes(html(502)) },
  { name: '503 in JSON', ...failing(503), ...entraDoes(json(503, 'temporarily_unavailable')) },
  { name: '503 in HTML', ...failing(503), ...entraDoes(serviceUnavailableHtml()) },
];

const odd: readonly Outage[] = [
  {
    name: 'temporarily_unavailable',
    ...failing(500),
    told: { ...failing(500).told, aadsts: 'AADSTS90033' },
    ...entraDoes(temporarilyUnavailable()),
  },
  {
    name: 'temporarily_unavailable with status 400',
    ...failing(400),
    ...entraDoes(json(400, 'temporarily_unavailable')),
  },
  { name: 'truncated JSON', ...notEntra({ status: 200 }), ...entraDoes(truncatedJson()) },
  { name: '200 with HTML', ...notEntra({ status: 200 }), ...entraDoes(captivePortal()) },
  {
    name: 'a body of 2 MiB',
    ...notEntra({ msg: expect.stringContaining('larger than 1 MiB') }),
    ...entraDoes(bigBody(2 * 1024 * 1024)),
  },
];

describe
  .skipIf(noPsql)
  .concurrent('an application notices nothing of (psql must be installed)', () => {
    const groups = [refused, throttled, broken, odd];
    test.for(groups.map((outages) => [namesOf(outages), outages] as const))(
      '%s',
      async ([, outages], context) => {
        await endure(await openPod(azure, context), outages, context);
      },
    );

    test('a redirect, which is not followed', async (context) => {
      const elsewhere = await startFakeEntra();
      context.onTestFinished(() => elsewhere.close());
      const location = `${elsewhere.authorityHost}${elsewhere.tenantId}/oauth2/v2.0/token`;
      const answer = entraDoes(redirect(location));
      const outage = { name: 'a redirect', ...notEntra({ status: 302 }), ...answer };
      await endure(await openPod(azure, context), [outage], context);
      context.expect(elsewhere.requests).toEqual([]);
    });
  });
