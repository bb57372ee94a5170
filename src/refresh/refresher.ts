import type { Passfile } from '../passfile/passfile.ts';
import type { AccessToken } from '../support/access-token.ts';
import type { Clock, Instant } from '../support/clock.ts';
import { asPgpassdError } from '../support/errors.ts';
import type { Secret } from '../support/secret.ts';
import type { RefreshCause, RefreshEvent, TokenInPlace } from './events.ts';
import { retryDelayMs } from './retry.ts';
import {
  adoptedDelayMs,
  elapsedMs,
  instantAt,
  LONGEST_NAP_MS,
  leftMs,
  refreshDelayMs,
  SHORTEST_INTERVAL_MS,
  type Turn,
  type Wait,
} from './schedule.ts';

/** Asks the source for a token. Rejects with a PgpassdError, or with the reason of `signal`. */
export type FetchToken = (signal: AbortSignal) => Promise<AccessToken>;

export interface RefresherParts {
  readonly fetchToken: FetchToken;
  readonly passfile: Pick<Passfile, 'prepare' | 'adopt' | 'publish'>;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  /** Share of a token's life after which it is refreshed. */
  readonly refreshFraction: number;
  readonly onEvent: (event: RefreshEvent) => void;
  /** LONGEST_NAP_MS when absent; a simulation whose clocks never step may sleep longer. */
  readonly longestNapMs?: number;
}

interface HeldToken {
  readonly token: Secret;
  readonly acquired: Instant;
  readonly lifeMs: number;
  readonly refreshDelayMs: number;
}

/** Failures in a row: how many, since when, what failed, and when to try it again. */
interface Trouble {
  readonly failures: number;
  readonly began: Instant;
  readonly cause: RefreshCause;
  readonly retry: Wait;
}

/** Keeps the passfile current: the order of steps, and the only place that decides on a retry. */
export class Refresher {
  readonly #parts: RefresherParts;
  #prepared = false;
  #inPlace: HeldToken | undefined;
  /** Fetched, but not written yet: a full disk must not cost an exchange for every try. */
  #unpublished: HeldToken | undefined;
  #trouble: Trouble | undefined;
  #lastAttempt: Instant | undefined;
  #asked: Exclude<RefreshCause, 'due'> | undefined;
  #turn: Turn;
  #nap = new AbortController();

  constructor(parts: RefresherParts) {
    this.#parts = parts;
    this.#turn = { at: parts.clock.now(), napMs: undefined };
  }

  /** The unexpired token in the passfile, as far as we know. */
  get tokenInPlace(): TokenInPlace | undefined {
    const now = this.#parts.clock.now();
    if (this.#inPlace === undefined) return undefined;
    const { acquired: since, lifeMs } = this.#inPlace;
    const remainingMs = leftMs({ since, delayMs: lifeMs }, now);
    if (remainingMs <= 0) return undefined;
    return { expiresAtMs: now.wallMs + remainingMs, remainingMs, lifeMs };
  }

  #expiredForMs(now: Instant): number | undefined {
    return this.#inPlace && elapsedMs(this.#inPlace.acquired, now) - this.#inPlace.lifeMs;
  }

  /** Whether the last attempt failed. */
  get failing(): boolean {
    return this.#trouble !== undefined;
  }

  /** What the loop did last. */
  get turn(): Turn {
    return this.#turn;
  }

  /** Asks for an attempt as soon as decent, whatever the schedule says. */
  ask(cause: Exclude<RefreshCause, 'due'>): void {
    // A refresh publishes, too, so it serves a changed template as well.
    if (cause !== 'template' || this.#asked === undefined) this.#asked = cause;
    this.#nap.abort();
  }

  /** Runs until `signal` aborts. Never rejects for a fault of the world: it is told, and tried again. */
  async run(signal: AbortSignal): Promise<void> {
    const wake = () => this.#nap.abort();
    signal.addEventListener('abort', wake);
    await this.#prepare().catch((error: unknown) => this.#failed(error, 'due'));
    await this.#adopt().catch((error: unknown) => this.#failed(error, 'due'));
    while (!signal.aborted) {
      await this.#rest(signal);
      if (!signal.aborted) await this.#attempt(signal);
    }
    signal.removeEventListener('abort', wake);
  }

  async #prepare(): Promise<void> {
    const files = await this.#parts.passfile.prepare();
    this.#prepared = true;
    if (files > 0) this.#parts.onEvent({ type: 'passfile.swept', files });
  }

  /** Takes over what an earlier run left, so that a restart while Entra is down does no harm. */
  async #adopt(): Promise<void> {
    const { passfile, clock, onEvent } = this.#parts;
    const adopted = await passfile.adopt();
    if (adopted === undefined) return;
    const now = clock.now();
    const acquired = instantAt(adopted.issuedAtMs, now);
    const lifeMs = adopted.expiresAtMs - acquired.wallMs;
    const wish = this.#wish(adopted.token, lifeMs, undefined);
    const delayMs = adoptedDelayMs(wish, elapsedMs(acquired, now));
    this.#inPlace = { token: adopted.token, acquired, lifeMs, refreshDelayMs: delayMs };
    const token = this.tokenInPlace;
    if (token === undefined) return;
    onEvent({ type: 'passfile.adopted', token, refreshInMs: Math.max(0, this.#untilDueMs()) });
  }

  /** Sleeps until something is to be done, in naps: see LONGEST_NAP_MS. */
  async #rest(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#nap = new AbortController();
      const untilMs = this.#untilAttemptMs();
      if (untilMs <= 0) return;
      const napMs = Math.min(Math.ceil(untilMs), this.#parts.longestNapMs ?? LONGEST_NAP_MS);
      this.#turn = { at: this.#parts.clock.now(), napMs };
      await this.#parts.clock.sleep(napMs, this.#nap.signal);
    }
  }

  #untilAttemptMs(): number {
    const now = this.#parts.clock.now();
    const restMs = (intervalMs: number) =>
      this.#lastAttempt ? leftMs({ since: this.#lastAttempt, delayMs: intervalMs }, now) : 0;
    if (this.#asked) return restMs(SHORTEST_INTERVAL_MS.asked);
    if (this.#trouble) return leftMs(this.#trouble.retry, now);
    return Math.max(this.#untilDueMs(), restMs(SHORTEST_INTERVAL_MS.due));
  }

  #untilDueMs(): number {
    if (this.#inPlace === undefined) return 0;
    const { acquired: since, refreshDelayMs: delayMs } = this.#inPlace;
    return leftMs({ since, delayMs }, this.#parts.clock.now());
  }

  async #attempt(signal: AbortSignal): Promise<void> {
    const cause = this.#asked ?? this.#trouble?.cause ?? 'due';
    this.#asked = undefined;
    this.#lastAttempt = this.#parts.clock.now();
    this.#turn = { at: this.#lastAttempt, napMs: undefined };
    try {
      if (!this.#prepared) await this.#prepare();
      const held = this.tokenInPlace && this.#inPlace;
      if (cause === 'template' && held) {
        await this.#publish(held);
        // What else is in trouble stays so.
        if (this.#trouble?.cause !== 'template') return;
      } else if (cause !== 'due' || this.#untilDueMs() <= 0) {
        await this.#refresh(cause, signal);
      }
      this.#recovered();
    } catch (error) {
      if (!signal.aborted) this.#failed(error, cause);
    }
  }

  async #refresh(cause: RefreshCause, signal: AbortSignal): Promise<void> {
    const { clock, onEvent } = this.#parts;
    const started = clock.now();
    onEvent({ type: 'refresh.started', cause });
    this.#unpublished = this.#freshUnpublished(started) ?? (await this.#fetch(signal));
    await this.#publish(this.#unpublished);
    this.#unpublished = undefined;
    onEvent({
      type: 'token.refreshed',
      token: this.tokenInPlace,
      refreshInMs: this.#untilDueMs(),
      tookMs: elapsedMs(started, clock.now()),
    });
  }

  async #publish(held: HeldToken): Promise<void> {
    const outcome = await this.#parts.passfile.publish(held.token);
    this.#inPlace = held;
    const type = outcome === 'written' ? 'passfile.written' : 'passfile.unchanged';
    this.#parts.onEvent({ type });
  }

  #freshUnpublished(now: Instant): HeldToken | undefined {
    const held = this.#unpublished;
    return held && elapsedMs(held.acquired, now) < held.refreshDelayMs ? held : undefined;
  }

  async #fetch(signal: AbortSignal): Promise<HeldToken> {
    // Counting from before the request errs on the short side, however long the answer took.
    const acquired = this.#parts.clock.now();
    const { token, expiresInSeconds, refreshInSeconds } = await this.#parts.fetchToken(signal);
    const lifeMs = expiresInSeconds * 1000;
    const delayMs = refreshDelayMs(this.#wish(token, lifeMs, refreshInSeconds));
    return { token, acquired, lifeMs, refreshDelayMs: delayMs };
  }

  #wish(token: Secret, lifeMs: number, refreshInSeconds: number | undefined) {
    return {
      lifeMs,
      refreshInMs: refreshInSeconds === undefined ? undefined : refreshInSeconds * 1000,
      fraction: this.#parts.refreshFraction,
      random: this.#parts.random(),
      sameToken: this.#inPlace?.token.equals(token) ?? false,
    };
  }

  #recovered(): void {
    if (this.#trouble === undefined) return;
    const { failures, began } = this.#trouble;
    this.#trouble = undefined;
    const lastedMs = elapsedMs(began, this.#parts.clock.now());
    this.#parts.onEvent({ type: 'refresh.recovered', failures, lastedMs });
  }

  #failed(thrown: unknown, cause: RefreshCause): void {
    const { clock, random, onEvent } = this.#parts;
    const error = asPgpassdError(thrown);
    const now = clock.now();
    const failures = (this.#trouble?.failures ?? 0) + 1;
    const token = this.tokenInPlace;
    const tokenValidForMs = token?.remainingMs ?? 0;
    const delayMs = retryDelayMs({ error, failures, tokenValidForMs, random: random() });
    const began = this.#trouble?.began ?? now;
    this.#trouble = { failures, began, cause, retry: { since: now, delayMs } };
    const expiredForMs = token ? undefined : this.#expiredForMs(now);
    onEvent({ type: 'refresh.failed', error, failures, token, expiredForMs, retryInMs: delayMs });
  }
}
