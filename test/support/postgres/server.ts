import { homedir } from 'node:os';
import type { ConnectTarget, Row } from './connect-target.ts';
import { postgresImage, startContainerServer } from './container-server.ts';
import { engineAddresses, findEngine, obtainImage } from './docker-engine.ts';
import { startEmbeddedServer } from './embedded-server.ts';

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
