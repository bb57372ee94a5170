import { request as httpsRequest } from 'node:https';
import { text } from 'node:stream/consumers';
import { generate } from 'selfsigned';
import { describe, expect, test } from 'vitest';
import { ask, grant, nowMs, nowSeconds, start } from './ask.ts';

describe('the record', () => {
  test('tells what was sent and what was answered', async () => {
    const entra = await start();
    const assertion = await entra.cluster.issueServiceAccountToken();
    const next = entra.nextRequest();
    const body = await grant(entra, { assertion, headers: { 'client-request-id': 'abc' } });
    expect(entra.requests).toHaveLength(1);
    expect(await next).toBe(entra.requests[0]);
    expect(entra.requests[0]).toMatchObject({
      at: nowMs,
      method: 'POST',
      url: `/${entra.tenantId}/oauth2/v2.0/token`,
      headers: { 'client-request-id': 'abc' },
      form: { client_id: entra.clientId, client_assertion: assertion },
      correlationId: 'abc',
      assertion,
      answered: 200,
      issued: { token: body.access_token, expiresAtMs: (nowSeconds + 3600) * 1000 },
    });
  });

  test('waits for a request after the call, not before', async () => {
    const entra = await start();
    await grant(entra);
    const next = entra.nextRequest();
    await ask(entra, { assertion: 'not a JWT' });
    expect(await next).toMatchObject({ answered: 400, assertion: 'not a JWT' });
  });

  test('knows every secret that went either way', async () => {
    const entra = await start();
    const unused = await entra.cluster.issueServiceAccountToken();
    await grant(entra);
    await ask(entra, { assertion: 'received' });
    const [used] = entra.requests;
    expect(entra.secrets().toSorted()).toEqual(
      [unused, used?.assertion, 'received', used?.issued?.token].toSorted(),
    );
  });
});

describe('closing', () => {
  test('ends a request that hangs', async () => {
    const entra = await start();
    entra.faults.next({ kind: 'hang' });
    const recorded = entra.nextRequest();
    const response = ask(entra);
    const failed = expect(response).rejects.toThrow('fetch failed');
    expect(await recorded).toMatchObject({ answered: 'hang' });
    await entra.close();
    await failed;
  });

  test('ends an answer that drips', async () => {
    const entra = await start();
    entra.faults.next({ kind: 'drip' });
    const response = await ask(entra);
    await entra.close();
    await expect(response.text()).rejects.toThrow('terminated');
  });

  test('may be done twice, and the port used again', async () => {
    const before = await start();
    await grant(before);
    await before.close();
    await before.close();
    await expect(ask(before)).rejects.toThrow('fetch failed');
    const after = await start({ port: before.port });
    expect(after.authorityHost).toBe(before.authorityHost);
    expect((await ask(after)).status).toBe(200);
  });
});

test('the endpoint can speak TLS', async () => {
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'fake-entra' }], {
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
  });
  const entra = await start({ tls: { key, cert } });
  expect(entra.authorityHost).toMatch(/^https:/);
  const url = new URL(`${entra.tenantId}/oauth2/v2.0/token`, entra.authorityHost);
  const body = await new Promise<string>((resolve, reject) => {
    httpsRequest(url, { method: 'POST', ca: cert, agent: false }, (response) => {
      text(response).then(resolve, reject);
    })
      .on('error', reject)
      .end();
  });
  expect(body).toContain('AADSTS900144');

  entra.faults.next({ kind: 'reset', when: 'before' });
  const cut = new Promise((_resolve, reject) => {
    httpsRequest(url, { method: 'POST', ca: cert, agent: false }).on('error', reject).end();
  });
  await expect(cut).rejects.toMatchObject({ code: 'ECONNRESET' });
});
