import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { CheckContext, Finding } from '../../src/check/step.ts';
import { readConfig } from '../../src/config/load.ts';
import type { Environment } from '../../src/config/option.ts';
import { systemClock } from '../../src/support/clock.ts';
import {
  type FakeEntra,
  type FakeEntraOptions,
  startFakeEntra,
} from '../support/fake-entra/server.ts';
import { findLeaks } from '../support/leak-check.ts';
import {
  createProjectedVolume,
  type ProjectedVolume,
  type ProjectedVolumeOptions,
} from '../support/projected-volume.ts';

/** What `check` looks at when the container has this environment. */
export function contextWith(env: Environment, given: Partial<CheckContext> = {}): CheckContext {
  return {
    reading: readConfig({}, env, 'check'),
    env,
    clock: systemClock,
    signal: new AbortController().signal,
    uid: process.getuid?.(),
    ...given,
  };
}

/** The environment of a pod whose tokens come from `entra`. */
export function environmentOf(
  { tenantId, clientId, authorityHost }: FakeEntra,
  env: Environment = {},
): Environment {
  return {
    PGPASSFILE: '/pgpass/pgpass',
    PGPASSD_ENTRIES: 'server.example:5432:*:my-app',
    PGPASSD_SCOPE: 'https://ossrdbms-aad.database.windows.net/.default',
    AZURE_TENANT_ID: tenantId,
    AZURE_CLIENT_ID: clientId,
    AZURE_AUTHORITY_HOST: authorityHost,
    AZURE_FEDERATED_TOKEN_FILE: '/nowhere/azure-identity-token',
    ...env,
  };
}

/** Closes with the test. */
export async function startEntra(options: FakeEntraOptions = {}): Promise<FakeEntra> {
  const entra = await startFakeEntra(options);
  onTestFinished(() => entra.close());
  return entra;
}

/** A volume that goes with the test, and holds `token`. */
export async function volumeWith(
  token: string,
  layout: ProjectedVolumeOptions['layout'] = 'nested',
): Promise<ProjectedVolume> {
  const volume = await createProjectedVolume({ layout });
  onTestFinished(() => volume.close());
  await volume.write(token);
  return volume;
}

export async function emptyDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'pgpassd-check-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** A file that goes with the test. */
export async function fileWith(content: string): Promise<string> {
  const path = join(await emptyDirectory(), 'file');
  await writeFile(path, content);
  return path;
}

/** The findings as their marks and texts, with what is wrong by its cause; none may quote a secret. */
export function shown(findings: readonly Finding[], secrets: readonly string[] = []): string[] {
  const texts = findings.map((finding) =>
    finding.mark === 'wrong'
      ? `✗ ${finding.cause} (${finding.code}): ${finding.found} → ${finding.remedy}`
      : `${finding.mark === 'ok' ? '✓' : '–'} ${finding.found}`,
  );
  const leaks = findLeaks(JSON.stringify(findings), [...secrets]);
  if (leaks.length > 0) throw new Error(`findings quote a secret: ${leaks.join(', ')}`);
  return texts;
}
