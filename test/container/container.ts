import { isAbsolute } from 'node:path';
import {
  type ContainerRuntimeClient,
  GenericContainer,
  getContainerRuntimeClient,
  type StartedTestContainer,
  Wait,
} from 'testcontainers';
import { LogLines } from './log-lines.ts';

export const PROBE_PORT = 8432;

/** Takes what is to be done when a test is over. */
export type CleanUp = (cleanUp: () => Promise<void>) => void;

export interface Mount {
  /** A directory or file of this machine, or the name of a volume. */
  readonly source: string;
  readonly target: string;
  readonly mode: 'ro' | 'rw';
}

/** With what kubelet and manifests can do to a container, and Testcontainers has no word for. */
export class Container extends GenericContainer {
  #onCreated: (id: string) => void = () => {};

  /** Also of a container that then fails to start. */
  whenCreated(listener: (id: string) => void): this {
    this.#onCreated = listener;
    return this;
  }

  protected override async containerCreated(id: string): Promise<void> {
    this.#onCreated(id);
  }

  /** Volumes come as they are, without what the image has in their place. */
  withMounts(mounts: readonly Mount[]): this {
    this.hostConfig.Mounts = mounts.map(({ source, target, mode }) => ({
      Type: isAbsolute(source) ? 'bind' : 'volume',
      Source: source,
      Target: target,
      ReadOnly: mode === 'ro',
      ...(!isAbsolute(source) && { VolumeOptions: volumeOptions }),
    }));
    return this;
  }

  withInit(Init: boolean): this {
    Object.assign(this.hostConfig, { Init });
    return this;
  }

  /** How many processes and threads there may be; kubelet sets it for a pod (podPidsLimit). */
  withPidsLimit(PidsLimit: number | undefined): this {
    if (PidsLimit !== undefined) Object.assign(this.hostConfig, { PidsLimit });
    return this;
  }

  withProbes(probed: boolean): this {
    if (!probed) return this;
    return this.withExposedPorts(PROBE_PORT).withWaitStrategy(
      Wait.forHttp('/startupz', PROBE_PORT),
    );
  }

  /** As the manifests run pgpassd: nothing to write to but the mounts, no capabilities, little memory. */
  hardened(memoryMiB = 64): this {
    const Memory = memoryMiB * 1024 * 1024;
    Object.assign(this.hostConfig, { ReadonlyRootfs: true, Memory, MemorySwap: Memory });
    return this.withDroppedCapabilities('ALL').withSecurityOpt('no-new-privileges');
  }
}

const volumeOptions = { NoCopy: true, Labels: {}, DriverConfig: { Name: 'local', Options: {} } };

export interface RunningContainer {
  readonly started: StartedTestContainer;
  /** The engine's own view, for what Testcontainers has no word for. */
  readonly raw: ReturnType<ContainerRuntimeClient['container']['getById']>;
  readonly log: LogLines;
  /** Settles with the exit code when the container has ended. */
  ended(): Promise<number>;
}

/** Starts a container and follows its log; it is gone after the test. */
export async function runContainer(
  container: Container,
  onTestFinished: CleanUp,
): Promise<RunningContainer> {
  const log = new LogLines();
  const client = await getContainerRuntimeClient();
  const started = await container
    .withLogConsumer((stream) => log.follow(stream))
    .whenCreated((id) => {
      onTestFinished(() => client.container.getById(id).remove({ force: true }));
    })
    .start();
  const raw = client.container.getById(started.getId());
  return {
    started,
    raw,
    log,
    ended: async () => ((await raw.wait()) as { StatusCode: number }).StatusCode,
  };
}
