import type { Server } from 'node:https';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { defaultIdentity, defaultResource } from '../../support/fake-entra/directory.ts';
import { createCa } from '../../support/postgres/certificates.ts';
import type { Observation } from './observation.ts';
import { readObservation } from './observation.ts';
import { serveTokenEndpoint } from './token-endpoint.ts';

const { tenantId, clientId, issuer, subject, audience } = defaultIdentity;
const cluster = await generateKeyPair('RS256', { extractable: true });
const another = await generateKeyPair('RS256');

let caPem: string;
let endpoint: Server;
const observed: Observation[] = [];

beforeAll(async () => {
  const ca = await createCa();
  caPem = ca.certPem;
  endpoint = await serveTokenEndpoint({
    directory: {
      ...defaultIdentity,
      federatedCredentials: [defaultIdentity],
      resources: [defaultResource],
    },
    clusterKeys: { keys: [{ ...(await exportJWK(cluster.publicKey)), kid: 'a', alg: 'RS256' }] },
    certificate: await ca.issue({ hosts: ['127.0.0.1'] }),
    lifetimeSeconds: 20,
    port: 0,
    observe: (observation) => observed.push(observation),
  });
});

afterAll(() => {
  endpoint.close();
});

test.each([
  ['takes what the cluster signed', { kid: 'a', key: cluster.privateKey, sub: subject }, undefined],
  ['knows whom nobody trusts', { kid: 'a', key: cluster.privateKey, sub: 'else' }, 700213],
  ['sees a forgery', { kid: 'a', key: another.privateKey, sub: subject }, 50027],
  [
    'knows the keys of its cluster alone',
    { kid: 'b', key: another.privateKey, sub: subject },
    7000272,
  ],
])('%s', async (_, { kid, key, sub }, code) => {
  const assertion = await new SignJWT({ sub })
    .setProtectedHeader({ alg: 'RS256', kid })
    .setIssuer(issuer)
    .setAudience(audience)
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(key);
  const answer = await ask(assertion);
  expect(answer.error_codes?.[0]).toBe(code);
  const observation = observed.at(-1);
  expect(observation).toMatchObject({ event: 'exchange', subject: sub });
  expect(observation).toMatchObject(
    code === undefined ? { token: expect.any(String) } : { aadsts: code },
  );
  // What it says of a token opens nothing.
  expect(JSON.stringify(observed)).not.toContain(answer.access_token ?? assertion);
  expect(readObservation(JSON.stringify(observation))).toEqual(observation);
});

interface Answer {
  readonly access_token?: string;
  readonly error_codes?: readonly number[];
}

async function ask(assertion: string): Promise<Answer> {
  const { port } = endpoint.address() as AddressInfo;
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: clientId,
    scope: `${defaultResource}/.default`,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion,
  });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  request({
    host: '127.0.0.1',
    port,
    path: `/${tenantId}/oauth2/v2.0/token`,
    method: 'POST',
    ca: caPem,
    agent: false,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })
    .on('response', (response) => text(response).then(resolve, reject))
    .on('error', reject)
    .end(form.toString());
  return JSON.parse(await promise) as Answer;
}
