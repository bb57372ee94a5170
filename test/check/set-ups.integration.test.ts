import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Finding } from '../../src/check/step.ts';
import { readText } from '../documents/markdown.ts';
import { type Azure, startAzure } from '../postgres/azure.ts';
import { startTimeoutMs } from '../support/postgres/server.ts';
import { canMount } from '../support/tmpfs.ts';
import { fineSetUps } from './fine-set-ups.ts';
import { keepCurrent, openPod } from './pod.ts';
import { type SetUp, setUps } from './set-ups.ts';

let azure: Azure;

beforeAll(async () => {
  azure = await startAzure({});
}, startTimeoutMs);
afterAll(() => azure.close());

const listed = readText('docs/findings.md');

const isRoot = process.getuid?.() === 0;
const mounts = canMount();

const possible: Readonly<Record<NonNullable<SetUp['needs']>, boolean>> = {
  'as root': isRoot,
  'not as root': !isRoot,
  'needs to mount': mounts,
};

const titleOf = (name: string, needs: SetUp['needs']) =>
  needs === undefined ? name : `${name} (${needs})`;

const wrongIn = (findings: readonly Finding[]) =>
  findings.filter((finding) => finding.mark === 'wrong');

test('a pod in which all is right has only ticks', async () => {
  const pod = await openPod(azure);
  const { findings, exitCode } = await pod.check({
    asProcess: true,
    args: ['--connect', '--for', pod.connection],
    env: await keepCurrent(pod),
  });
  expect(findings.filter(({ mark }) => mark !== 'ok')).toEqual([]);
  expect(new Set(findings.map(({ step }) => step)).size).toBe(11);
  expect(exitCode).toBe(0);
});

test('an application that finds all it needs gets no finding about Azure', async () => {
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

test('another problem does not keep the exchange from being tried', async () => {
  const { check } = await openPod(azure);
  const { findings, exitCode } = await check({
    env: { PGPASSD_TIMEOUTS: '1m', AZURE_CLIENT_ID: '00000000-1111-4222-8333-444444444444' },
  });
  expect(wrongIn(findings)).toMatchObject([{ cause: 'setting' }, { cause: 'AADSTS700016' }]);
  expect(exitCode).toBe(2);
});

describe('what is right is not reported', () => {
  for (const { name, needs, arrange } of fineSetUps) {
    test.skipIf(needs !== undefined && !possible[needs])(titleOf(name, needs), async () => {
      const pod = await openPod(azure);
      const { findings, exitCode } = await pod.check(await arrange(pod));
      expect(wrongIn(findings)).toEqual([]);
      expect(exitCode).toBe(0);
    });
  }
});

describe('what is wrong is reported first, with what to do about it', () => {
  for (const { name, cause, exitCode, needs, arrange } of setUps) {
    test.skipIf(needs !== undefined && !possible[needs])(titleOf(name, needs), async () => {
      const pod = await openPod(azure);
      const checked = await pod.check(await arrange(pod));
      const [first] = wrongIn(checked.findings);
      expect(first, JSON.stringify(checked.findings, undefined, 1)).toMatchObject({ cause });
      expect(first?.remedy).toMatch(/\.$|;$/);
      expect(checked.exitCode).toBe(exitCode);
      expect(listed).toContain(`\`${cause}\``);
    });
  }

  test('for more than fifty set-ups', () => {
    expect(setUps.length).toBeGreaterThan(50);
    expect(new Set(setUps.map(({ name }) => name)).size).toBe(setUps.length);
  });
});
