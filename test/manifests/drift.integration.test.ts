import { describe, expect, onTestFinished, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { parseCommandLine } from '../../src/cli.ts';
import { type Config, loadConfig } from '../../src/config/load.ts';
import type { CommandName } from '../../src/config/option.ts';
import { createProbes, Heartbeat, STALL_LIMIT_MS } from '../../src/observe/health.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { everyPgpassd, type Where } from './containers.ts';

const image = `registry.example.com/pgpassd:${packageJson.version}`;

/** What the webhook and the ConfigMap bring. */
const fromOutside = {
  AZURE_TENANT_ID: '11111111-1111-1111-1111-111111111111',
  AZURE_CLIENT_ID: '22222222-2222-2222-2222-222222222222',
  AZURE_FEDERATED_TOKEN_FILE: '/var/run/secrets/azure/wi/token/azure-identity-token',
  PGPASSD_ENTRIES: 'my-server.postgres.database.azure.com:5432:*:my-app',
};

const all = everyPgpassd();
const servers = all.filter(({ container }) => commandOf({ container }) === 'run');

function commandOf({ container }: Pick<Where, 'container'>): CommandName {
  const invocation = parseCommandLine(container.args ?? []);
  if (invocation.kind !== 'command') throw new Error(`${container.args} is no command`);
  return invocation.command;
}

/** What pgpassd itself makes of the container. */
function configOf({ container }: Where): Config {
  const invocation = parseCommandLine(container.args ?? []);
  const own = (container.env ?? []).map(({ name, value }) => [name, value ?? ''] as const);
  const env = { ...fromOutside, ...Object.fromEntries(own) };
  return loadConfig(
    invocation.kind === 'command' ? invocation.flags : {},
    env,
    commandOf({ container }),
  );
}

test('the manifests have pgpassd as sidecar, as init container and as ordinary container', () => {
  expect(all).toHaveLength(9);
  expect(servers).toHaveLength(6);
});

describe.each(all)('$name', (where) => {
  const { container, pod } = where;

  test('has settings that pgpassd takes', () => {
    expect(configOf(where).entries).toEqual([
      expect.objectContaining({ host: 'my-server.postgres.database.azure.com', user: 'my-app' }),
    ]);
  });

  test('writes the passfile to a volume in memory, where the others read it', () => {
    const { passfile } = configOf(where);
    const [mount] = container.volumeMounts ?? [];
    expect(passfile).toBe(`${mount?.mountPath}/pgpass`);
    expect(mount?.readOnly).toBeUndefined();
    expect(pod.volumes).toContainEqual({
      name: mount?.name,
      emptyDir: { medium: 'Memory', sizeLimit: '1Mi' },
    });
    const others = [...(pod.initContainers ?? []), ...(pod.containers ?? [])].filter(
      ({ name }) => !name.startsWith('pgpassd'),
    );
    for (const { env, volumeMounts } of others) {
      expect(env).toContainEqual({ name: 'PGPASSFILE', value: passfile });
      expect(volumeMounts).toContainEqual({ ...mount, readOnly: true });
    }
  });

  test('has the image of this release', () => {
    expect(container.image).toBe(image);
  });

  test('has what every other pgpassd of the manifests has', () => {
    const common = ({ resources, securityContext, terminationMessagePolicy }: typeof container) => {
      // The policy writes down the user that the others inherit from the pod.
      const { runAsUser: _, ...security } = securityContext ?? {};
      return { resources, security, terminationMessagePolicy };
    };
    expect(common(container)).toEqual(common(all[0]?.container ?? container));
  });
});

const idle = {
  clock: new FakeClock(),
  state: () => ({}) as never,
  pulse: () => ({}) as never,
};

describe.each(servers)('$name', (where) => {
  const { container } = where;
  const { startupProbe, readinessProbe, livenessProbe } = container;
  const port = 'http-pgpassd';

  test('asks for paths that are served, on the port that is served', () => {
    const paths = [startupProbe, readinessProbe, livenessProbe].map((probe) => probe?.httpGet);
    expect(paths).toEqual([
      { path: '/startupz', port },
      { path: '/readyz', port },
      { path: '/livez', port },
    ]);
    const served = createProbes({ ...idle, look: async () => undefined });
    for (const { path } of paths.filter((each) => each !== undefined)) {
      expect([...served.keys()]).toContain(path);
    }
    const { httpAddress } = configOf(where);
    expect(container.ports).toEqual([
      { name: port, containerPort: httpAddress === 'off' ? 0 : httpAddress.port },
    ]);
  });

  test('gives readiness the time that a look at a slow volume takes', async () => {
    const clock = new FakeClock();
    const probes = createProbes({ ...idle, clock, look: () => new Promise(() => {}) });
    let answered = false;
    void probes
      .get('/readyz')?.()
      .then(() => {
        answered = true;
      });
    await clock.advance(1000 * (readinessProbe?.timeoutSeconds ?? 0));
    expect(answered).toBe(true);
  });

  test('asks for liveness while a stall is remembered', async () => {
    const clock = new FakeClock();
    const heart = new Heartbeat(clock);
    const stop = new AbortController();
    const stopped = heart.run(stop.signal);
    onTestFinished(async () => {
      stop.abort();
      await stopped;
    });
    await clock.advance(5_000);
    await clock.stall(12_000);
    await clock.advance(1000 * (livenessProbe?.periodSeconds ?? Number.POSITIVE_INFINITY));
    expect(heart.stallMs).toBeGreaterThan(STALL_LIMIT_MS);
  });

  test('has the probes that every other has', () => {
    const probes = [startupProbe, readinessProbe, livenessProbe];
    const { container: first } = servers[0] ?? where;
    expect(probes).toEqual([first.startupProbe, first.readinessProbe, first.livenessProbe]);
  });
});
