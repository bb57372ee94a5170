import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientResult } from '../support/postgres/running-client.ts';

export interface Connect {
  readonly ok: boolean;
  readonly tookMs: number;
  /** What the client printed, when its login failed. */
  readonly error?: string;
}

export interface ClientLoop {
  readonly intervalMs: number;
  /** Connects once, as a process of its own. */
  readonly connect: () => Promise<ClientResult>;
  readonly onConnect: (connect: Connect) => void;
  /** Aborts on Ctrl-C, which reaches the client in the same terminal as well. */
  readonly interrupted: AbortSignal;
}

/** Far more than a connect takes on loopback: a client interrupted after that was hanging before. */
const OVERDUE_MS = 5_000;

/**
 * Connects on schedule until `signal` aborts, one attempt at a time: an attempt that takes longer than
 * the interval delays the next to the following beat. The attempt under way at the end still counts.
 */
export async function connectRegularly(loop: ClientLoop, signal: AbortSignal): Promise<void> {
  const { intervalMs, connect, onConnect, interrupted } = loop;
  const beganMs = performance.now();
  while (!signal.aborted) {
    const startedMs = performance.now();
    const outcome = await attempt(connect);
    const tookMs = performance.now() - startedMs;
    const cutShort = interrupted.aborted && !outcome.ok && tookMs < OVERDUE_MS;
    if (!cutShort) onConnect({ ...outcome, tookMs });
    const intoBeatMs = (performance.now() - beganMs) % intervalMs;
    await sleep(intervalMs - intoBeatMs, undefined, { signal }).catch(() => {});
  }
}

async function attempt(connect: ClientLoop['connect']): Promise<Omit<Connect, 'tookMs'>> {
  try {
    const { code, stderr } = await connect();
    if (code === 0) return { ok: true };
    return { ok: false, error: stderr.trim().replaceAll(/\s+/g, ' ') || `exit code ${code}` };
  } catch (error) {
    return { ok: false, error: String(error) };
  }
}
