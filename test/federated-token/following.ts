import { setTimeout as wallTimer } from 'node:timers';
import { afterEach } from 'vitest';
import {
  createTokenFollower,
  type FederatedToken,
} from '../../src/federated-token/federated-token.ts';
import type { Clock } from '../../src/support/clock.ts';
import { createProjectedVolume, type ProjectedVolume } from '../support/projected-volume.ts';

export const LAYOUTS = ['flat', 'nested', 'plain'] as const;
export const ROTATIONS = 50;

/** Far more than any rotation takes to be noticed, also on a busy machine. */
const DEFAULT_BOUND_MS = 60_000;

const releases: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const release of releases.splice(0).reverse()) await release();
});

/** An unsigned stand-in: following looks at content only. */
export function tokenNumbered(number: number, padding = 0): string {
  const payload = {
    sub: 'system:serviceaccount:shop:legacy-app',
    number,
    pad: 'x'.repeat(padding),
  };
  return `e30.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.c2ln`;
}

interface Following {
  readonly seen: FederatedToken[];
  readonly watchFailures: unknown[];
  /** Resolves with the next token reported after the call; rejects when it takes longer than allowed. */
  next(withinMs?: number): Promise<FederatedToken>;
}

export function follow(
  path: string,
  how: { clock: Clock; pollIntervalMs: number; watching: boolean },
): Following {
  const seen: FederatedToken[] = [];
  const watchFailures: unknown[] = [];
  let tell = (_: FederatedToken) => {};
  const stop = new AbortController();
  const following = createTokenFollower({
    path,
    ...how,
    onToken: (federated) => {
      seen.push(federated);
      tell(federated);
    },
    onWatchFailed: (error) => watchFailures.push(error),
  }).run(stop.signal);
  releases.push(() => {
    stop.abort();
    return following;
  });
  const next = (withinMs = DEFAULT_BOUND_MS) =>
    new Promise<FederatedToken>((resolve, reject) => {
      const late = wallTimer(() => reject(new Error(`nothing within ${withinMs} ms`)), withinMs);
      tell = (federated) => {
        clearTimeout(late);
        resolve(federated);
      };
    });
  return { seen, watchFailures, next };
}

export async function volumeOf(layout: (typeof LAYOUTS)[number]): Promise<ProjectedVolume> {
  const volume = await createProjectedVolume({ layout });
  releases.push(() => volume.close());
  return volume;
}
