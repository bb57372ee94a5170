import { once } from 'node:events';
import { connectRegularly } from './client-loop.ts';
import { parseDaemonLine } from './daemon-log.ts';
import { startDaemon } from './daemon-process.ts';
import type { Happening, Tell } from './happening.ts';
import { type Kubelet, projectToken, rotateRegularly } from './kubelet.ts';
import type { DemoOptions } from './options.ts';
import { Releases } from './releases.ts';
import { clientName, raiseScenery, type Scenery } from './scenery.ts';
import { count, emptyTally } from './tally.ts';
import { type Course, FIRST_TOKEN_WITHIN_MS } from './verdict.ts';

const CONNECT_INTERVAL_MS = 500;

export interface Demo {
  readonly options: DemoOptions;
  readonly tell: Tell;
  /** Aborts when a person has seen enough. */
  readonly interrupted: AbortSignal;
}

/**
 * The demo, from its first part started to the last one released. `undefined` when it was
 * interrupted before there was anything to see; rejects when a part of it cannot start.
 */
export async function runDemo(demo: Demo): Promise<Course | undefined> {
  const releases = new Releases();
  try {
    const say = (text: string) => demo.tell({ kind: 'demo', atMs: Date.now(), text });
    const { clientId } = demo.options;
    const scenery = await raiseScenery({ clientId, releases, say });
    return demo.interrupted.aborted ? undefined : await play(demo, scenery, releases);
  } finally {
    await releases.run();
  }
}

/** pgpassd first; once a token is in place, the client until the end; pgpassd is stopped last. */
async function play(demo: Demo, scenery: Scenery, releases: Releases): Promise<Course> {
  let tally = emptyTally;
  const firstToken = new AbortController();
  const note = (happening: Happening) => {
    tally = count(tally, happening);
    demo.tell(happening);
    if (tally.accessToken !== undefined) firstToken.abort();
  };
  const kubelet = kubeletOf(scenery, note);
  await projectToken(kubelet);

  const daemon = startDaemon(scenery.daemonEnv, (line) =>
    note({ kind: 'pgpassd', atMs: Date.now(), line: parseDaemonLine(line) }),
  );
  releases.add(() => daemon.stop());
  const over = new AbortController();
  const rotating = rotateRegularly(kubelet, over.signal);
  const broken = new AbortController();
  const breakOff = () => broken.abort();
  daemon.ended.then(breakOff, breakOff);
  rotating.catch(breakOff);

  const cut = AbortSignal.any([demo.interrupted, broken.signal]);
  await aborted(
    AbortSignal.any([cut, firstToken.signal, AbortSignal.timeout(FIRST_TOKEN_WITHIN_MS)]),
  );
  const gotToken = firstToken.signal.aborted;
  const watchedMs = gotToken ? await watch(demo, scenery, note, cut) : undefined;
  const ending = endingOf({ gotToken, broken: broken.signal, interrupted: demo.interrupted });

  over.abort();
  await rotating;
  const daemonEnd = await daemon.stop();
  return { client: clientName, tally, watchedMs, ending, daemon: daemonEnd };
}

function endingOf(why: {
  gotToken: boolean;
  broken: AbortSignal;
  interrupted: AbortSignal;
}): Course['ending'] {
  if (why.broken.aborted) return 'daemon ended';
  return why.gotToken || why.interrupted.aborted ? 'as asked' : 'no token';
}

function kubeletOf({ entra, volume }: Scenery, note: Tell): Kubelet {
  return {
    cluster: entra.cluster,
    volume,
    onRotation: (expiresAtMs) => note({ kind: 'kubelet', atMs: Date.now(), expiresAtMs }),
  };
}

/** Lets the client connect until the time is up or the signal aborts; returns how long that was. */
async function watch(
  { options, interrupted }: Demo,
  { connect }: Scenery,
  note: Tell,
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

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}
