import { homedir } from 'node:os';
import { escapeIdentifier } from 'pg';
import { type ConnectTarget, type Row, runSql } from './connect-target.ts';
import { postgresImage, startContainerServer } from './container-server.ts';
import { engineAddresses, findEngine, obtainImage } from './docker-engine.ts';
import { startEmbeddedServer } from './embedded-server.ts';
import { shared } from './shared.ts';

/** A real PostgreSQL that trusts everyone who reaches it. */
export interface Server {
  /** Which server this is, and why not the other. */
  description: string;
  connectTarget: ConnectTarget;
  /** Runs SQL as the superuser. */
  sql(text: string, database?: string): Promise<Row[]>;
  stop(): Promise<void>;
}

const pullTimeoutMs = 60_000;

/** The time a hook that starts a server should allow: a pull, the container, and the fallback. */
export const startTimeoutMs = 3 * pullTimeoutMs;

/** The official image where a Docker engine can run it, else the embedded server. */
export async function startServer(env: NodeJS.ProcessEnv = process.env): Promise<Server> {
  const surroundings = { env, home: homedir(), uid: process.getuid?.() };
  const engine = await findEngine(engineAddresses(surroundings));
  if (!engine) return await startEmbeddedServer('no Docker engine answers');
  try {
    await obtainImage(engine, postgresImage, pullTimeoutMs);
    return await startContainerServer(engine);
  } catch (error) {
    return await startEmbeddedServer(error instanceof Error ? error.message : String(error));
  }
}

/**
 * The server of all files of a test run, for those that change nothing of it but to add roles and databases.
 * Outside of a run it is a server of one's own.
 */
export async function sharedServer(): Promise<Server> {
  const found = await shared('server');
  if (found === undefined) return await startServer();
  const { connectTarget } = found;
  return {
    ...found,
    sql: (text, database) => runSql(connectTarget, text, database),
    stop: async () => {},
  };
}

/** Adds roles that may log in, unless another file has. */
export async function addRoles(server: Server, names: readonly string[]): Promise<void> {
  for (const name of names) await add(server, `CREATE ROLE ${escapeIdentifier(name)} LOGIN`);
}

/** Adds databases, unless another file has. */
export async function addDatabases(server: Server, names: readonly string[]): Promise<void> {
  for (const name of names) await add(server, `CREATE DATABASE ${escapeIdentifier(name)}`);
}

/** SQLSTATEs of what exists, and of what somebody else adds at the same moment. */
const existing = ['42710', '42P04', '23505'];

async function add(server: Server, statement: string): Promise<void> {
  await server.sql(statement).catch((error: { code?: string }) => {
    if (!existing.includes(error.code ?? '')) throw error;
  });
}
