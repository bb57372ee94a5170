import { type CleanUp, type Container, type RunningContainer, runContainer } from './container.ts';

/** A client that connects again and again, with a new psql each time, and prints one line for each. */
export interface Application extends RunningContainer {
  /** Settles with the first connect that begins from now on, as soon as it is over. */
  nextConnect(): Promise<Connect>;
  /** The first such connect behind those that earlier calls returned, as soon as it is over. */
  waitFor(matches: (connect: Connect) => boolean): Promise<Connect>;
  /** All there were so far, oldest first. */
  connects(): readonly Connect[];
}

interface Connect {
  readonly ok: boolean;
  /** What psql said. */
  readonly text: string;
}

/** Twice a second is often enough for an outage of a second, and not all that the machine does. */
const connectForever = `
  while :; do
    if said=$(psql -w -X -A -t -c 'select 1' 2>&1); then echo "in: $said"; else echo "out: $said"; fi
    sleep 0.5
  done`;

export async function startApplication(
  client: Container,
  script: string = connectForever,
  onTestFinished: CleanUp,
): Promise<Application> {
  const running = await runContainer(
    client.withEntrypoint(['/bin/sh', '-c']).withCommand([script]),
    onTestFinished,
  );
  const waitFor: Application['waitFor'] = async (matches) =>
    connectIn(
      await running.log.waitFor(
        'such a connect',
        (line) => isConnect(line) && matches(connectIn(line)),
      ),
    );
  return {
    ...running,
    waitFor,
    nextConnect: async () => {
      running.log.skip();
      await waitFor(() => true);
      return await waitFor(() => true);
    },
    connects: () => running.log.lines.filter(isConnect).map(connectIn),
  };
}

const isConnect = (line: string): boolean => /^(in|out): /.test(line);

const connectIn = (line: string): Connect => ({
  ok: line.startsWith('in: '),
  text: line.replace(/^\w+: /, ''),
});
