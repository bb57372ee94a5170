import { readFile } from 'node:fs/promises';
import type { TestContext } from 'vitest';
import { type Azure, ROLE, SERVER_NAME } from '../postgres/azure.ts';
import { portOf, probe } from '../process/probing.ts';
import { openWorkload, type Workload, type WorkloadOptions } from '../process/workload.ts';
import { findLeaks } from '../support/leak-check.ts';
import type { LogLine, Pgpassd, PgpassdOptions } from '../support/pgpassd-process.ts';
import { findProgram, type QueryOptions } from '../support/postgres/clients.ts';
import { type Application, startApplication } from './application.ts';

export const noPsql = findProgram('psql') === undefined;

/** What a concurrent test hands in of its context. */
export type Context = Pick<TestContext, 'expect' | 'onTestFinished'>;

/** A workload of its own in front of a shared PostgreSQL. */
export interface Pod extends Workload {
  readonly client: QueryOptions;
  /** Starts the daemon, which is to be alive whatever fails. */
  run(options?: Partial<PgpassdOptions>): Pgpassd;
  /** The application, which connects from now on until the test stops it or is over. */
  startApplication(): Application;
  /** Passes when the passfile holds the token that Entra issued last. */
  expectNewestToken(): Promise<void>;
}

export async function openPod(
  azure: Azure,
  { expect, onTestFinished }: Context,
  options: Omit<WorkloadOptions, 'onTestFinished'> = {},
): Promise<Pod> {
  const workload = await openWorkload({ ...options, onTestFinished });
  const { entra, passfile, start } = workload;
  const client = { ...azure.client, passfile };
  const entry = `${SERVER_NAME}:*:*:${ROLE}`;
  return {
    ...workload,
    client,
    run: ({ args = [], env, ...others } = {}) => {
      const options = { ...others, env: { PGPASSD_ENTRIES: entry, ...env } };
      return aliveInEachFailure(start(['run', ...args], options), expect);
    },
    startApplication: () => {
      const application = startApplication(client);
      onTestFinished(async () => {
        await application.stop();
      });
      return application;
    },
    expectNewestToken: async () => {
      expect(await readFile(passfile, 'utf8')).toBe(`${entry}:${entra.issued.at(-1)}\n`);
    },
  };
}

/** The same process, which is asked whether it is alive at each failure that is waited for. */
function aliveInEachFailure(pgpassd: Pgpassd, expect: Context['expect']): Pgpassd {
  return {
    ...pgpassd,
    waitFor: async (wanted, bound) => {
      const line = await pgpassd.waitFor(wanted, bound);
      if (line.event === 'refresh.failed') {
        expect(await probe(await portOf(pgpassd), '/livez')).toMatchObject({ status: 200 });
      }
      return line;
    },
  };
}

/** Passes when pgpassd still runs, and has told no secret. */
export async function expectUnharmed(
  { entra }: Pod,
  pgpassd: Pgpassd,
  { expect }: Context,
): Promise<void> {
  const end = await Promise.race([pgpassd.exited, undefined]);
  expect(end, pgpassd.output()).toBeUndefined();
  expect(findLeaks(pgpassd.output(), entra.secrets())).toEqual([]);
}

export const msBetween = (one: LogLine, other: LogLine): number =>
  Date.parse(other.time) - Date.parse(one.time);
