import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectRegularly } from './client-loop.ts';
import { countFailedRefreshes, parseDaemonLine, startDaemon } from './daemon.ts';
import { clientName, openPod, type Pod, projectToken, rotateRegularly } from './pod.ts';
import { FIRST_TOKEN_WITHIN_MS, type Outcome } from './summary.ts';
import { count, type DemoEvent, emptyTally, type Listener } from './tally.ts';

const CONNECT_INTERVAL_MS = 500;
const METRICS_INTERVAL_MS = 500;

export interface DemoOptions {
  /** How long the client connects; until Ctrl-C where absent. */
  readonly seconds: number | undefined;
  /** What pgpassd is configured with instead of the right client id. */
  readonly clientId: string | undefined;
}

export interface Demo {
  readonly options: DemoOptions;
  readonly onEvent: Listener;
  /** Aborts when the user ends the demo. */
  readonly interrupted: AbortSignal;
}

/**
 * Runs the demo, from starting its first part to stopping the last one. Resolves with `undefined` when it was
 * interrupted before pgpassd was started; rejects when a part of it cannot start.
 */
export async function runDemo(demo: Demo): Promise<Outcome | undefined> {
  await using cleanup = new AsyncDisposableStack();
  const pod = await openPod({
    clientId: demo.options.clientId,
    cleanup,
    onProgress: (text) => demo.onEvent({ kind: 'demo', atMs: Date.now(), text }),
  });
  return demo.interrupted.aborted ? undefined : await play(demo, pod, cleanup);
}

/** pgpassd first; once a token is in place, the client until the end; pgpassd is stopped last. */
async function play(demo: Demo, pod: Pod, cleanup: AsyncDisposableStack): Promise<Outcome> {
  let tally = emptyTally;
  let httpPort: number | undefined;
  const firstToken = new AbortController();
  const firstLine = new AbortController();
  const note = (event: DemoEvent) => {
    tally = count(tally, event);
    demo.onEvent(event);
    if (tally.accessToken !== undefined) firstToken.abort();
  };
  const noteRotation = (expiresAtMs: number) =>
    note({ kind: 'kubelet', atMs: Date.now(), expiresAtMs });
  const noteMetrics = async () => {
    const failedRefreshes = httpPort && (await countFailedRefreshes(httpPort));
    if (failedRefreshes !== undefined) note({ kind: 'metrics', atMs: Date.now(), failedRefreshes });
  };
  await projectToken(pod, noteRotation);

  const daemon = startDaemon(pod.daemonEnv, (text) => {
    const line = parseDaemonLine(text);
    firstLine.abort();
    httpPort ??= line.httpPort;
    // At level debug only repeated failures are worth showing.
    if (line.level === 'debug' && line.event !== 'refresh.failed') return;
    note({ kind: 'pgpassd', atMs: Date.now(), line });
  });
  cleanup.defer(async () => void (await daemon.stop()));
  const over = new AbortController();
  const rotating = rotateRegularly(pod, noteRotation, over.signal);
  const counting = repeat(noteMetrics, METRICS_INTERVAL_MS, over.signal);
  const broken = new AbortController();
  const breakOff = () => broken.abort();
  daemon.ended.then(breakOff, breakOff);
  rotating.catch(breakOff);

  const cut = AbortSignal.any([demo.interrupted, broken.signal]);
  // How long a busy machine takes to start pgpassd is not counted.
  await aborted(AbortSignal.any([cut, firstLine.signal]));
  await aborted(
    AbortSignal.any([cut, firstToken.signal, AbortSignal.timeout(FIRST_TOKEN_WITHIN_MS)]),
  );
  const gotToken = firstToken.signal.aborted;
  const watchedMs = gotToken ? await watch(demo, pod, note, cut) : undefined;
  const ending = endingOf({ gotToken, broken: broken.signal, interrupted: demo.interrupted });

  over.abort();
  await Promise.all([rotating, counting]);
  await noteMetrics();
  const daemonEnd = await daemon.stop();
  return { client: clientName, tally, watchedMs, ending, daemon: daemonEnd };
}

function endingOf(why: {
  gotToken: boolean;
  broken: AbortSignal;
  interrupted: AbortSignal;
}): Outcome['ending'] {
  if (why.broken.aborted) return 'daemon ended';
  return why.gotToken || why.interrupted.aborted ? 'as asked' : 'no token';
}

/** Lets the client connect until the time is up or the signal aborts; returns how long that was. */
async function watch(
  { options, interrupted }: Demo,
  { connect }: Pod,
  note: Listener,
  cut: AbortSignal,
): Promise<number> {
  const beganMs = performance.now();
  const timeUp = options.seconds && AbortSignal.timeout(options.seconds * 1000);
  await connectRegularly(
    {
      intervalMs: CONNECT_INTERVAL_MS,
      connect,
      onConnect: (outcome) => note({ kind: 'client', atMs: Date.now(), connect: outcome }),
      interrupted,
    },
    timeUp ? AbortSignal.any([cut, timeUp]) : cut,
  );
  return performance.now() - beganMs;
}

async function repeat(
  act: () => Promise<void>,
  intervalMs: number,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await act();
    await sleep(intervalMs, undefined, { signal }).catch(() => {});
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}
