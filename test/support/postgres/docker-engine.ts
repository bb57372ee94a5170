import { request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

export type EngineAddress = { socketPath: string } | { host: string; port: number };

export interface EngineSurroundings {
  env: NodeJS.ProcessEnv;
  home: string;
  uid: number | undefined;
}

const answerTimeoutMs = 1_500;

/** Where an engine may listen, in the order in which Testcontainers looks. */
export function engineAddresses({ env, home, uid }: EngineSurroundings): EngineAddress[] {
  const runtimeDirectory = env['XDG_RUNTIME_DIR'];
  const socketPaths = [
    '/var/run/docker.sock',
    ...(runtimeDirectory ? [join(runtimeDirectory, 'docker.sock')] : []),
    join(home, '.docker', 'run', 'docker.sock'),
    join(home, '.docker', 'desktop', 'docker.sock'),
    ...(uid === undefined ? [] : [`/run/user/${uid}/docker.sock`]),
  ];
  const wellKnown = socketPaths.map((socketPath) => ({ socketPath }));
  return [...parseDockerHost(env['DOCKER_HOST']), ...wellKnown];
}

/** An engine behind ssh or TLS is not one to start throw-away servers on. */
function parseDockerHost(dockerHost: string | undefined): EngineAddress[] {
  if (dockerHost === undefined || !URL.canParse(dockerHost)) return [];
  const { protocol, pathname, hostname, port } = new URL(dockerHost);
  if (protocol === 'unix:') return [{ socketPath: pathname }];
  if (protocol === 'tcp:' && hostname !== '')
    return [{ host: hostname, port: Number(port) || 2375 }];
  return [];
}

/** The first of the addresses at which an engine answers in time. Never throws. */
export async function findEngine(
  addresses: EngineAddress[],
  timeoutMs = answerTimeoutMs,
): Promise<EngineAddress | undefined> {
  const answers = await Promise.all(addresses.map((address) => pings(address, timeoutMs)));
  return addresses.find((_, index) => answers[index]);
}

async function pings(engine: EngineAddress, timeoutMs: number): Promise<boolean> {
  try {
    const answer = await ask(engine, 'GET', '/_ping', timeoutMs);
    return answer.status === 200;
  } catch {
    return false;
  }
}

/** Pulls the image unless the engine has it; throws when it can't be had within the time. */
export async function obtainImage(
  engine: EngineAddress,
  image: string,
  timeoutMs: number,
): Promise<void> {
  if (await hasImage(engine, image)) return;
  const outcome = await pull(engine, image, timeoutMs);
  // A pull that fails half-way still has status 200; the reason is in the progress it printed.
  if (await hasImage(engine, image)) return;
  throw new Error(`image ${image} can't be pulled: ${outcome}`);
}

/** The last line of progress, or why there was none. */
async function pull(engine: EngineAddress, image: string, timeoutMs: number): Promise<string> {
  const [name = image, tag = 'latest'] = image.split(':');
  const query = new URLSearchParams({ fromImage: name, tag });
  try {
    const { body } = await ask(engine, 'POST', `/images/create?${query}`, timeoutMs);
    return body.trim().split('\n').at(-1) ?? '';
  } catch (error) {
    return String(error);
  }
}

async function hasImage(engine: EngineAddress, image: string): Promise<boolean> {
  const answer = await ask(engine, 'GET', `/images/${image}/json`, answerTimeoutMs);
  return answer.status === 200;
}

interface Answer {
  status: number | undefined;
  body: string;
}

function ask(
  engine: EngineAddress,
  method: 'GET' | 'POST',
  path: string,
  timeoutMs: number,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const fail = (error: Error): void => reject(signal.aborted ? signal.reason : error);
    request({ ...engine, method, path, signal, agent: false, headers: { host: 'docker' } })
      .on('response', (response) => {
        text(response).then((body) => resolve({ status: response.statusCode, body }), fail);
      })
      .on('error', fail)
      .end();
  });
}
