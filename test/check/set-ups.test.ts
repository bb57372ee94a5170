import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Finding } from '../../src/check/finding.ts';
import { type Azure, startAzure } from '../postgres/azure.ts';
import { startPgpassd } from '../support/pgpassd-process.ts';
import { startTimeoutMs } from '../support/postgres/server.ts';
import { canMount } from '../support/tmpfs.ts';
import { openPod } from './pod.ts';
import { type SetUp, setUps } from './set-ups.ts';

let azure: Azure;

beforeAll(async () => {
  azure = await startAzure({});
}, startTimeoutMs);
afterAll(() => azure.close());

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

const isRoot = process.getuid?.() === 0;
const mounts = canMount();

const possible: Readonly<Record<NonNullable<SetUp['needs']>, boolean>> = {
  'as root': isRoot,
  'not as root': !isRoot,
  'needs to mount': mounts,
};

const wrongIn = (findings: readonly Finding[]) =>
  findings.filter((finding) => finding.mark === 'wrong');

test('a set-up as it should be is all ticks', async () => {
  const { env, connection, check } = await openPod(azure);
  const daemon = startPgpassd({
    env: { ...env, PGPASSD_HTTP_ADDRESS: '127.0.0.1:0', PGPASSD_LOG_FORMAT: 'json' },
  });
  const { httpPort } = await daemon.waitFor('started');
  await daemon.waitFor(({ event }) => event === 'passfile.adopted' || event === 'token.refreshed');
  const { findings, exitCode } = await check({
    args: ['--connect', '--for', connection],
    env: { PGPASSD_HTTP_ADDRESS: `127.0.0.1:${httpPort}` },
  });
  expect(findings.filter(({ mark }) => mark !== 'ok')).toEqual([]);
  expect(new Set(findings.map(({ step }) => step)).size).toBe(11);
  expect(exitCode).toBe(0);
});

test('an application that finds all it needs is told so, without a word of Azure', async () => {
  const { passfile, connection, check } = await openPod(azure);
  const variables = ['TENANT_ID', 'CLIENT_ID', 'AUTHORITY_HOST', 'FEDERATED_TOKEN_FILE'];
  const { findings, exitCode } = await check({
    args: ['--connect', '--for', connection],
    env: {
      ...Object.fromEntries(variables.map((name) => [`AZURE_${name}`, undefined])),
      PGPASSFILE: passfile,
      PGPASSD_ENTRIES: undefined,
      PGPASSD_SCOPE: undefined,
    },
  });
  expect(wrongIn(findings)).toEqual([]);
  expect(findings.filter(({ mark }) => mark === 'ok').map(({ step }) => step)).toEqual([
    'passfile',
    'lookup',
    'overrides',
    'login',
  ]);
  expect(exitCode).toBe(0);
});

describe('what is wrong is named first, with what to do about it', () => {
  for (const { name, cause, exitCode, needs, arrange } of setUps) {
    const title = needs === undefined ? name : `${name} (${needs})`;
    test.skipIf(needs !== undefined && !possible[needs])(title, async () => {
      const pod = await openPod(azure);
      const checked = await pod.check(await arrange(pod));
      const [first] = wrongIn(checked.findings);
      expect(first, JSON.stringify(checked.findings, undefined, 1)).toMatchObject({ cause });
      expect(first?.remedy).toMatch(/\.$|;$/);
      expect(checked.exitCode).toBe(exitCode);
      expect(readme).toContain(`\`${cause}\``);
    });
  }

  test('for more than fifty set-ups', () => {
    expect(setUps.length).toBeGreaterThan(50);
    expect(new Set(setUps.map(({ name }) => name)).size).toBe(setUps.length);
  });
});
