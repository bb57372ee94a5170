import { existsSync } from 'node:fs';
import { runSql, superuser } from './connect-target.ts';
import type { EngineAddress } from './docker-engine.ts';
import type { Server } from './server.ts';

export const postgresImage = 'postgres:15-alpine';

const port = 5432;

/** Testcontainers is imported here and not above: without an engine nobody pays for loading it. */
export async function startContainerServer(engine: EngineAddress): Promise<Server> {
  // The reaper is one more image to pull, and we stop what we start.
  process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true';
  const { PostgreSqlContainer } = await import('@testcontainers/postgresql');

  class TrustingContainer extends PostgreSqlContainer {
    protected override async beforeContainerCreated(): Promise<void> {
      if (!publishesOnOurLoopback(engine)) return;
      this.hostConfig.PortBindings = { [`${port}/tcp`]: [{ HostIp: '127.0.0.1', HostPort: '0' }] };
    }
  }

  const container = await new TrustingContainer(postgresImage)
    .withUsername(superuser)
    .withDatabase(superuser)
    .withEnvironment({ POSTGRES_HOST_AUTH_METHOD: 'trust' })
    .withCommand(['postgres', '-c', 'fsync=off'])
    .start();
  const target = { host: container.getHost(), port: container.getPort() };
  return {
    description: `${postgresImage} in a container`,
    connectTarget: target,
    sql: (text, database) => runSql(target, text, database),
    stop: async () => {
      await container.stop();
    },
  };
}

/**
 * A server that trusts everyone should be published on loopback only. Not possible where our
 * loopback is not the engine's: a remote engine, or tests that run in a container themselves.
 */
function publishesOnOurLoopback(engine: EngineAddress): boolean {
  return 'socketPath' in engine && !existsSync('/.dockerenv');
}
