import { X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { createCa } from './certificates.ts';

const hosts = ['localhost', 'my-server.postgres.database.azure.test', '127.0.0.1'];

test('a certificate is signed by the CA and names hosts and addresses', async () => {
  const ca = await createCa();
  const issued = await ca.issue({ hosts });
  const certificate = new X509Certificate(issued.certPem);

  expect(certificate.verify(new X509Certificate(ca.certPem).publicKey)).toBe(true);
  expect(certificate.subjectAltName).toBe(
    'DNS:localhost, DNS:my-server.postgres.database.azure.test, IP Address:127.0.0.1',
  );
  expect(certificate.ca).toBe(false);
  expect(certificate.validFromDate.getTime()).toBeLessThan(Date.now());
  expect(certificate.validToDate.getTime()).toBeGreaterThan(Date.now());
});

test('a certificate can be one that has expired', async () => {
  const ca = await createCa();
  const { certPem } = await ca.issue({ hosts, expired: true });
  expect(new X509Certificate(certPem).validToDate.getTime()).toBeLessThan(Date.now());
});

test('every CA is another one', async () => {
  const [one, other] = await Promise.all([createCa(), createCa()]);
  const issued = new X509Certificate((await one.issue({ hosts })).certPem);
  expect(issued.verify(new X509Certificate(other.certPem).publicKey)).toBe(false);
});
