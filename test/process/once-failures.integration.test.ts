import { mkdir, writeFile } from 'node:fs/promises';
import { describe, test } from 'vitest';
import { serviceUnavailableHtml, tooManyRequests } from '../support/fake-entra/faults.ts';
import type { PgpassdOptions } from '../support/pgpassd-process.ts';
import {
  fingerprint,
  namesIn,
  openWorkload,
  passfileWith,
  sentencesOf,
  type Workload,
  type WorkloadOptions,
} from './workload.ts';

interface Failure {
  readonly name: string;
  readonly code: number;
  readonly what: RegExp;
  readonly remedy: RegExp;
  readonly entra?: WorkloadOptions;
  readonly arrange?: (workload: Workload) => unknown;
  readonly args?: readonly string[];
  readonly env?: PgpassdOptions['env'];
  readonly timeoutSeconds?: number;
  /** Started as one; one of each exit code is enough. */
  readonly asProcess?: true;
}

/** Time for a start and a request on a busy machine. */
const TIMEOUT_SECONDS = 5;
/** Where an attempt is to end before, so that its failure can be told: also on a busy machine. */
const PATIENT_SECONDS = 20;
const ATTEMPT_SECONDS = 18;

const otherId = '6e1f0c92-84b3-4d57-a1c8-9b20e5d7f346';
const credentialOf = /federated credential/;

const federatedTokenFailures: readonly Failure[] = [
  {
    name: 'a missing federated token',
    code: 3,
    asProcess: true,
    entra: { federatedToken: null },
    what: /^the federated token file \S+ does not exist$/,
    remedy: /azure\.workload\.identity\/use/,
  },
  {
    name: 'an empty federated token',
    code: 3,
    entra: { federatedToken: '' },
    what: /is empty$/,
    remedy: /Wait for kubelet/,
  },
  {
    name: 'a federated token that is no JWT',
    code: 3,
    entra: { federatedToken: 'hunter2.hunter2.hunter2' },
    what: /does not contain a JWT$/,
    remedy: /--federated-token-file/,
  },
  {
    name: 'an expired federated token',
    code: 3,
    arrange: async ({ entra, volume }) => {
      const notBeforeMs = Date.now() - 3_600_000;
      const life = { notBeforeMs, lifetimeSeconds: 600 };
      await volume.write(await entra.cluster.issueServiceAccountToken(life));
    },
    what: /^the federated token expired at \d{4}-\d\d-\d\dT/,
    remedy: /kubelet rotates/,
  },
  {
    name: "a directory in the federated token's place",
    code: 3,
    entra: { federatedToken: null, layout: 'plain' },
    arrange: ({ volume }) => mkdir(volume.tokenPath),
    what: /is not a regular file$/,
    remedy: /point --federated-token-file at the file itself/,
  },
];

const present = (claims: { subject?: string; audience?: string; issuer?: string }) => ({
  arrange: async ({ entra, volume }: Workload) =>
    volume.write(await entra.cluster.issueServiceAccountToken(claims)),
});

const refusals: readonly Failure[] = [
  {
    name: 'a client id that the tenant does not know',
    code: 4,
    asProcess: true,
    env: { AZURE_CLIENT_ID: otherId },
    what: /AADSTS700016/,
    remedy: new RegExp(`AZURE_CLIENT_ID.*${otherId}`),
  },
  {
    name: 'a tenant that does not exist',
    code: 4,
    env: { AZURE_TENANT_ID: otherId },
    what: /AADSTS90002/,
    remedy: new RegExp(`AZURE_TENANT_ID.*${otherId}`),
  },
  {
    name: 'an identity without a federated credential',
    code: 4,
    entra: { federatedCredentials: [] },
    what: /AADSTS70025/,
    remedy: credentialOf,
  },
  {
    name: 'a wrong subject',
    code: 4,
    ...present({ subject: 'system:serviceaccount:shop:default' }),
    what: /AADSTS700213.*system:serviceaccount:shop:default/,
    remedy: /subject of the federated credential to system:serviceaccount:shop:default/,
  },
  {
    name: 'an issuer inside the cluster',
    code: 4,
    ...present({ issuer: 'https://kubernetes.default.svc' }),
    what: /AADSTS700211/,
    remedy: /cannot reach the issuer https:\/\/kubernetes\.default\.svc: enable the OIDC issuer/,
  },
  {
    name: 'an issuer that another cluster has',
    code: 4,
    ...present({ issuer: 'https://other.example/' }),
    what: /AADSTS700211/,
    remedy: /issuer of the federated credential to https:\/\/other\.example\//,
  },
  {
    name: 'a wrong audience',
    code: 4,
    ...present({ audience: 'vault' }),
    what: /AADSTS700212/,
    remedy: /audience is vault/,
  },
  {
    name: 'a scope that no resource has',
    code: 4,
    env: { PGPASSD_SCOPE: 'https://database.example.com/.default' },
    what: /AADSTS500011/,
    remedy: /--scope https:\/\/database\.example\.com/,
  },
];

const outages: readonly Failure[] = [
  {
    name: 'a closed port',
    code: 5,
    asProcess: true,
    arrange: ({ entra }) => entra.close(),
    what: /cannot be reached: no connection could be established$/,
    remedy: /egress/,
  },
  {
    name: 'a host that never answers',
    code: 5,
    timeoutSeconds: PATIENT_SECONDS,
    arrange: ({ entra }) => entra.faults.always({ kind: 'hang' }),
    what: /^127\.0\.0\.1:\d+ did not answer within 10 s: timed out waiting for the answer$/,
    remedy: /--timeout/,
  },
  {
    name: 'a host that never answers, with a --request-timeout that is longer than --timeout',
    code: 5,
    timeoutSeconds: PATIENT_SECONDS,
    arrange: ({ entra }) => entra.faults.always({ kind: 'hang' }),
    args: ['--request-timeout', '1h'],
    what: new RegExp(`within ${ATTEMPT_SECONDS} s: timed out waiting for the answer$`),
    remedy: /--timeout/,
  },
  {
    name: 'a token command that has not answered yet',
    code: 5,
    timeoutSeconds: PATIENT_SECONDS,
    args: ['--token-command', 'sleep 600', '--request-timeout', '1h'],
    what: new RegExp(
      `^the token command sleep did not exit within ${ATTEMPT_SECONDS} s and was killed$`,
    ),
    remedy: /--token-command waits for.*--timeout/,
  },
  {
    name: 'a host that does not answer within --request-timeout',
    code: 5,
    arrange: ({ entra }) => entra.faults.always({ kind: 'hang' }),
    args: ['--request-timeout', '1s'],
    what: /^127\.0\.0\.1:\d+ did not answer within 1 s: timed out waiting for the answer$/,
    remedy: /--request-timeout/,
  },
  {
    name: 'a throttle',
    code: 5,
    arrange: ({ entra }) => entra.faults.always(tooManyRequests('60')),
    what: /throttles.*\(429\)/,
    remedy: /retries by itself/,
  },
  {
    name: 'a gateway that fails',
    code: 5,
    arrange: ({ entra }) => entra.faults.always(serviceUnavailableHtml()),
    what: /\(503\)/,
    remedy: /retries by itself/,
  },
];

describe.concurrent('once, after --timeout, ends', () => {
  test.for([...outages, ...refusals, ...federatedTokenFailures])(
    '$code for $name, and leaves the old passfile alone',
    async ({
      code,
      what,
      remedy,
      entra,
      arrange,
      args = [],
      env = {},
      timeoutSeconds = TIMEOUT_SECONDS,
      asProcess,
    }, { expect, onTestFinished }) => {
      const workload = await openWorkload({ ...entra, onTestFinished });
      const { passfile, directory } = workload;
      await writeFile(passfile, passfileWith('hunter2'), { mode: 0o600 });
      const before = await fingerprint(passfile);
      await arrange?.(workload);

      const start = asProcess ? workload.start : workload.startHere;
      const pgpassd = start(['once', '--timeout', `${timeoutSeconds}s`, ...args], { env });
      expect(await pgpassd.exited, pgpassd.output()).toEqual({ code, signal: null });
      const [first = '', second = '', ...others] = sentencesOf(pgpassd.errors());
      expect(first).toMatch(what);
      expect(second).toMatch(remedy);
      expect(others).toEqual([]);
      expect(await fingerprint(passfile)).toEqual(before);
      expect(await namesIn(directory)).toEqual(['pgpass']);
    },
  );
});
