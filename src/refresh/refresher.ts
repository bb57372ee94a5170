import type { Passfile } from '../passfile/passfile.ts';
import type { AccessToken } from '../support/access-token.ts';
import type { Clock, Instant, Wait } from '../support/clock.ts';
import { asPgpassdError, type ErrorCode } from '../support/errors.ts';
import type { Secret } from '../support/secret.ts';
import type { RefreshCause, RefreshEvent, TokenInPlace } from './events.ts';
import { adopted, type Circumstances, type HeldToken, inPlace, received } from './held-token.ts';
import {
  elapsedMs,
  type FoundLife,
  isLocal,
  LONGEST_NAP_MS,
  leftMs,
  retryDelayMs,
  rotationDelayMs,
  SHORTEST_INTERVAL_MS,
  type Turn,
} from './schedule.ts';

/** Requests a token from the source. Rejects with a PgpassdError, or with the reason of `signal`. */
export type FetchToken = (signal: AbortSignal) => Promise<AccessToken>;

export interface RefresherParts {
  readonly fetchToken: FetchToken;
  readonly passfile: Pick<Passfile, 'prepare' | 'adopt' | 'publish'>;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  /** The share of a token's life after which it is refreshed. */
  readonly refreshFraction: number;
  readonly onEvent: (event: RefreshEvent) => void;
  /** LONGEST_NAP_MS by default; a simulation whose clocks never step may sleep longer. */
  readonly longestNapMs?: number;
}

/** Failures in a row: how many, since when, what failed last, and when the next attempt is due. */
interface Backoff {
  readonly failures: number;
  readonly began: Instant;
  readonly cause: RefreshCause;
  readonly code: ErrorCode;
  readonly retry: Wait;
}

/** A refresh that was requested outside the schedule. */
interface RequestedRefresh {
  readonly cause: Exclude<RefreshCause, 'due' | 'template'>;
  readonly wait: Wait;
}

/** Keeps the passfile current: the order of the steps, and when to try again after a failure. */
export class Refresher {
  readonly #parts: RefresherParts;
  #prepared = false;
  #inPlace: HeldToken | undefined;
  /** Fetched but not written yet: on a full disk, an attempt must not cost an exchange each time. */
  #unpublished: HeldToken | undefined;
  /** Refreshing and applying a changed template back off separately. */
  #backoff: Backoff | undefined;
  #templateBackoff: Backoff | undefined;
  #lastAttempt: Instant | undefined;
  #requested: RequestedRefresh | undefined;
  /** Whether the template has changed since the current token was written. */
  #templateChanged = false;
  /** A token was adopted whose file does not have the configured mode and owner yet. */
  #adoptionPending = false;
  /** A clock was set since the loop last looked for a token to adopt. */
  #stepped = false;
  #turn: Turn;
  #nap = new AbortController();

  constructor(parts: RefresherParts) {
    this.#parts = parts;
    this.#turn = { at: parts.clock.now(), napMs: undefined };
  }

  /** The unexpired token in the passfile, as far as we know. */
  get tokenInPlace(): TokenInPlace | undefined {
    return this.#inPlace && inPlace(this.#inPlace, this.#parts.clock.now());
  }

  #expiredForMs(now: Instant): number | undefined {
    return this.#inPlace && -leftMs(this.#inPlace.life, now);
  }

  /** Whether the last attempt failed. */
  get failing(): boolean {
    return (this.#backoff ?? this.#templateBackoff) !== undefined;
  }

  /** What the loop is doing. */
  get turn(): Turn {
    return this.#turn;
  }

  /**
   * Requests an attempt: immediately for an operator, for a changed template, which needs no new token, and
   * for a rotation while attempts fail inside the pod, where a retry costs Entra nothing. Any other rotation
   * may reach a whole fleet, so it is delayed at random while the current token is valid.
   */
  ask(cause: Exclude<RefreshCause, 'due'>): void {
    if (cause === 'template') this.#templateChanged = true;
    else this.#requested = this.#sooner({ cause, wait: this.#requestedWait(cause) });
    this.wake();
  }

  #requestedWait(cause: RequestedRefresh['cause']): Wait {
    const { clock, random } = this.#parts;
    const failsInPod = this.#backoff !== undefined && isLocal(this.#backoff.code);
    const hurried = cause === 'request' || failsInPod;
    const validForMs = hurried ? 0 : (this.tokenInPlace?.remainingMs ?? 0);
    return { since: clock.now(), delayMs: rotationDelayMs(validForMs, random()) };
  }

  #sooner(request: RequestedRefresh): RequestedRefresh {
    const now = this.#parts.clock.now();
    const pending = this.#requested;
    return pending && leftMs(pending.wait, now) < leftMs(request.wait, now) ? pending : request;
  }

  /** A clock was set, which may change what is due, and whether the token found in the passfile is valid. */
  clockStepped(): void {
    this.#stepped = true;
    this.wake();
  }

  /** Checks immediately whether anything is due. */
  wake(): void {
    this.#nap.abort();
  }

  /** Runs until `signal` aborts. Never rejects for an outside failure: that is reported, and retried. */
  async run(signal: AbortSignal): Promise<void> {
    const wake = () => this.wake();
    signal.addEventListener('abort', wake);
    await this.#prepare().catch((error: unknown) => this.#failed(error, 'due'));
    await this.#adopt();
    while (!signal.aborted) {
      await this.#sleepUntilDue(signal);
      if (!signal.aborted) await this.#attempt(signal);
    }
    signal.removeEventListener('abort', wake);
  }

  async #prepare(): Promise<void> {
    const files = await this.#parts.passfile.prepare();
    this.#prepared = true;
    if (files > 0) this.#parts.onEvent({ type: 'passfile.swept', files });
  }

  /** Adopts the passfile of an earlier run, so that a restart during an Entra outage does no harm. */
  async #adopt(): Promise<void> {
    const found = await this.#parts.passfile.adopt().catch((error: unknown) => {
      this.#failed(error, 'due');
    });
    if (!found) return;
    this.#inPlace = adopted(found, this.#circumstances());
    this.#adoptionPending = this.tokenInPlace !== undefined;
    if (found.problem) {
      // Retried as for a changed template: with the current token.
      this.#templateChanged = true;
      this.#failed(found.problem, 'template');
      return;
    }
    if (found.rewritten) this.#parts.onEvent({ type: 'passfile.written' });
    this.#reportAdoption();
  }

  /** Only once mode and owner are set: clients cannot read the file before. */
  #reportAdoption(): void {
    const token = this.tokenInPlace;
    if (!this.#adoptionPending || token === undefined) return;
    this.#adoptionPending = false;
    const refreshInMs = Math.max(0, this.#untilDueMs());
    this.#parts.onEvent({ type: 'passfile.adopted', token, refreshInMs });
  }

  /** Another pgpassd has written a token that expires later than ours. */
  takeOver(found: FoundLife & { readonly token: Secret }): void {
    this.#inPlace = adopted(found, this.#circumstances());
    this.#unpublished = undefined;
    this.#adoptionPending = true;
    this.#reportAdoption();
    this.wake();
  }

  /** Sleeps until an attempt is due, for LONGEST_NAP_MS at most at a time. */
  async #sleepUntilDue(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#nap = new AbortController();
      if (this.#stepped) await this.#adoptAgain();
      const untilMs = Math.min(this.#untilRefreshMs(), this.#untilTemplateMs());
      if (untilMs <= 0) return;
      const napMs = Math.min(Math.ceil(untilMs), this.#parts.longestNapMs ?? LONGEST_NAP_MS);
      this.#turn = { at: this.#parts.clock.now(), napMs };
      await this.#parts.clock.sleep(napMs, this.#nap.signal);
    }
  }

  /** A token that seemed expired, or not valid yet, may be valid by the corrected clock. */
  async #adoptAgain(): Promise<void> {
    this.#stepped = false;
    if (this.tokenInPlace !== undefined) return;
    await this.#adopt();
  }

  #untilRefreshMs(): number {
    const now = this.#parts.clock.now();
    const scheduledMs = this.#backoff
      ? leftMs(this.#backoff.retry, now)
      : Math.max(this.#untilDueMs(), this.#untilIntervalMs(SHORTEST_INTERVAL_MS.due));
    if (this.#requested === undefined) return scheduledMs;
    const requestedMs = Math.max(
      leftMs(this.#requested.wait, now),
      this.#untilIntervalMs(SHORTEST_INTERVAL_MS.asked),
    );
    return Math.min(scheduledMs, requestedMs);
  }

  /** How long until a changed template is written; Infinity if it has not changed, or there is no token. */
  #untilTemplateMs(): number {
    if (!this.#templateChanged || !(this.tokenInPlace ?? this.#usableUnpublished()))
      return Infinity;
    const retryMs = this.#templateBackoff
      ? leftMs(this.#templateBackoff.retry, this.#parts.clock.now())
      : 0;
    return Math.max(retryMs, this.#untilIntervalMs(SHORTEST_INTERVAL_MS.asked));
  }

  #untilIntervalMs(intervalMs: number): number {
    if (this.#lastAttempt === undefined) return 0;
    return leftMs({ since: this.#lastAttempt, delayMs: intervalMs }, this.#parts.clock.now());
  }

  #untilDueMs(): number {
    return this.#inPlace ? leftMs(this.#inPlace.due, this.#parts.clock.now()) : 0;
  }

  async #attempt(signal: AbortSignal): Promise<void> {
    // A token that is still unwritten is tried even if only the template changed: it may fit now.
    const refreshing = this.#untilRefreshMs() <= 0 || this.#usableUnpublished() !== undefined;
    const requested = refreshing ? this.#requested : undefined;
    const cause = refreshing ? (requested?.cause ?? this.#backoff?.cause ?? 'due') : 'template';
    const waiting = this.#usableUnpublished();
    const templateChanged = this.#templateChanged;
    this.#templateChanged = false;
    if (refreshing) this.#requested = undefined;
    this.#lastAttempt = this.#parts.clock.now();
    this.#turn = { at: this.#lastAttempt, napMs: undefined };
    try {
      if (!this.#prepared) await this.#prepare();
      if (!refreshing) await this.#republish();
      else if (cause !== 'due' || this.#untilDueMs() <= 0) {
        await this.#refresh(cause, requested !== undefined, signal);
      }
      this.#succeeded(cause);
    } catch (error) {
      // Otherwise the next attempt writes the unwritten token by the changed template anyway.
      if (templateChanged && !this.#usableUnpublished()) this.#templateChanged = true;
      if (signal.aborted) return;
      this.#failed(error, cause);
      const stillUnwritten = waiting !== undefined && this.#unpublished === waiting;
      // The requested token is fetched once the earlier one is written.
      if (requested && stillUnwritten && this.#backoff) {
        this.#requested ??= { cause: requested.cause, wait: this.#backoff.retry };
      }
    }
  }

  /** Writes the current token by the changed template. */
  async #republish(): Promise<void> {
    const held = this.tokenInPlace && this.#inPlace;
    if (held) await this.#publish(held);
    this.#reportAdoption();
  }

  /** Writes a token that is still unwritten instead of fetching one; after that, a `requested` one is fetched too. */
  async #refresh(cause: RefreshCause, requested: boolean, signal: AbortSignal): Promise<void> {
    const started = this.#parts.clock.now();
    this.#parts.onEvent({ type: 'refresh.started', cause });
    const waiting = this.#usableUnpublished();
    if (waiting !== undefined) await this.#putInPlace(waiting, started);
    if (waiting !== undefined && !requested) return;
    this.#unpublished = await this.#fetch(cause, signal);
    await this.#putInPlace(this.#unpublished, started);
  }

  async #putInPlace(held: HeldToken, started: Instant): Promise<void> {
    const { clock, onEvent } = this.#parts;
    const renewed = !this.#inPlace?.token.equals(held.token);
    await this.#publish(held);
    this.#adoptionPending = false;
    const token = this.tokenInPlace;
    const refreshInMs = this.#untilDueMs();
    if (!renewed && token) onEvent({ type: 'token.unchanged', token, refreshInMs });
    else {
      const tookMs = elapsedMs(started, clock.now());
      onEvent({ type: 'token.refreshed', token, refreshInMs, tookMs });
    }
  }

  async #publish(held: HeldToken): Promise<void> {
    const outcome = await this.#parts.passfile.publish(held.token);
    this.#inPlace = held;
    this.#unpublished = undefined;
    const type = outcome === 'written' ? 'passfile.written' : 'passfile.unchanged';
    this.#parts.onEvent({ type });
  }

  /** A token that was fetched, is unwritten, and is not itself due for a refresh. */
  #usableUnpublished(): HeldToken | undefined {
    const held = this.#unpublished;
    return held && leftMs(held.due, this.#parts.clock.now()) > 0 ? held : undefined;
  }

  async #fetch(cause: RefreshCause, signal: AbortSignal): Promise<HeldToken> {
    const issued = await this.#parts.fetchToken(signal);
    return received({ issued, cause }, this.#inPlace, this.#circumstances());
  }

  #circumstances(): Circumstances {
    const { clock, refreshFraction, random } = this.#parts;
    return { now: clock.now(), fraction: refreshFraction, random };
  }

  /** A refresh also applies a changed template; applying a template does not end a refresh failure. */
  #succeeded(cause: RefreshCause): void {
    const ended =
      cause === 'template' ? this.#templateBackoff : (this.#backoff ?? this.#templateBackoff);
    this.#templateBackoff = undefined;
    if (cause !== 'template') this.#backoff = undefined;
    if (ended === undefined || this.#backoff !== undefined) return;
    const { failures, began } = ended;
    const lastedMs = elapsedMs(began, this.#parts.clock.now());
    this.#parts.onEvent({ type: 'refresh.recovered', failures, lastedMs });
  }

  #failed(thrown: unknown, cause: RefreshCause): void {
    const { clock, random, onEvent } = this.#parts;
    const error = asPgpassdError(thrown);
    const now = clock.now();
    const before = cause === 'template' ? this.#templateBackoff : this.#backoff;
    const failures = (before?.failures ?? 0) + 1;
    const token = this.tokenInPlace;
    const tokenValidForMs = token?.remainingMs ?? 0;
    const delayMs = retryDelayMs({ error, failures, tokenValidForMs, random: random() });
    const retry = { since: now, delayMs };
    const began = before?.began ?? now;
    const backoff = { failures, began, cause, code: error.code, retry };
    if (cause === 'template') this.#templateBackoff = backoff;
    else this.#backoff = backoff;
    const expiredForMs = token ? undefined : this.#expiredForMs(now);
    const retryInMs = delayMs;
    onEvent({ type: 'refresh.failed', cause, error, failures, token, expiredForMs, retryInMs });
  }
}
