import type { StartedTestContainer } from 'testcontainers';
import type { LogLine, LogPredicate } from '../support/pgpassd-process.ts';
import { type CleanUp, type Container, type RunningContainer, runContainer } from './container.ts';

/** pgpassd in its own image, as a pod runs it. */
export interface Sidecar extends RunningContainer {
  /** The oldest matching line of the log that no earlier call returned, as soon as there is one. */
  waitFor(wanted: string | LogPredicate): Promise<LogLine>;
  /** Runs pgpassd beside the one that runs, as `kubectl exec` does. */
  exec(...args: readonly string[]): ReturnType<StartedTestContainer['exec']>;
}

export async function startSidecar(
  container: Container,
  onTestFinished: CleanUp,
): Promise<Sidecar> {
  const running = await runContainer(container, onTestFinished);
  return {
    ...running,
    waitFor: async (wanted) => {
      const matches: LogPredicate =
        typeof wanted === 'string' ? ({ event }) => event === wanted : wanted;
      const told = (line: string) => line.startsWith('{') && matches(JSON.parse(line) as LogLine);
      return JSON.parse(await running.log.waitFor(String(wanted), told)) as LogLine;
    },
    exec: (...args) => running.started.exec(['pgpassd', ...args]),
  };
}
