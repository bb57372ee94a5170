import type { Passfile } from '../passfile/passfile.ts';
import type { AccessToken } from '../support/access-token.ts';
import type { Clock, Instant, Wait } from '../support/clock.ts';
import { asPgpassdError, type ErrorCode } from '../support/errors.ts';
import type { Secret } from '../support/secret.ts';
import type { RefreshCause, RefreshEvent, TokenInPlace } from './events.ts';
import { adopted, type Circumstances, type HeldToken, inPlace, received } from './held-token.ts';
import { isLocal, retryDelayMs } from './retry.ts';
import {
  elapsedMs,
  type FoundLife,
  LONGEST_NAP_MS,
  leftMs,
  rotationDelayMs,
  SHORTEST_INTERVAL_MS,
  type Turn,
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

/** Failures in a row: how many, since when, what failed, and when to try it again. */
interface Trouble {
  readonly failures: number;
  readonly began: Instant;
  readonly cause: RefreshCause;
  readonly code: ErrorCode;
  readonly retry: Wait;
}

/** A refresh that was asked for, whatever the schedule says. */
interface Request {
  readonly cause: Exclude<RefreshCause, 'due' | 'template'>;
  readonly wait: Wait;
}

/** Keeps the passfile current: the order of steps, and the only place that decides on a retry. */
export class Refresher {
  readonly #parts: RefresherParts;
  #prepared = false;
  #inPlace: HeldToken | undefined;
  /** Fetched, but not written yet: a full disk must not cost an exchange for every try. */
  #unpublished: HeldToken | undefined;
  /** With refreshing, and with putting a changed template into force: each has a back-off of its own. */
  #trouble: Trouble | undefined;
  #templateTrouble: Trouble | undefined;
  #lastAttempt: Instant | undefined;
  #asked: Request | undefined;
  /** Whether the template has changed since the token in place was published. */
  #templateChanged = false;
  /** A token was taken over whose file has still to get its mode and owner. */
  #adoptionPending = false;
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
    return (this.#trouble ?? this.#templateTrouble) !== undefined;
  }

  /** What the loop did last. */
  get turn(): Turn {
    return this.#turn;
  }

  /**
   * Asks for an attempt: at once when an operator asks, when a changed template needs no new token, or
   * when a rotation mends the file; any other rotation may reach a whole fleet, so it waits while there is
   * time.
   */
  ask(cause: Exclude<RefreshCause, 'due'>): void {
    if (cause === 'template') this.#templateChanged = true;
    else this.#asked = this.#sooner({ cause, wait: this.#askedWait(cause) });
    this.wake();
  }

  #askedWait(cause: Request['cause']): Wait {
    const { clock, random } = this.#parts;
    const mends = this.#trouble !== undefined && isLocal(this.#trouble.code);
    const hurried = cause === 'request' || mends;
    const validForMs = hurried ? 0 : (this.tokenInPlace?.remainingMs ?? 0);
    return { since: clock.now(), delayMs: rotationDelayMs(validForMs, random()) };
  }

  #sooner(request: Request): Request {
    const now = this.#parts.clock.now();
    const pending = this.#asked;
    return pending && leftMs(pending.wait, now) < leftMs(request.wait, now) ? pending : request;
  }

  /** A clock was set: what is due may have changed, and so may what is to be believed of the passfile in place. */
  clockStepped(): void {
    this.#stepped = true;
    this.wake();
  }

  /** Looks at once whether something is to be done. */
  wake(): void {
    this.#nap.abort();
  }

  /** Runs until `signal` aborts. Never rejects for a fault of the world: it is told, and tried again. */
  async run(signal: AbortSignal): Promise<void> {
    const wake = () => this.wake();
    signal.addEventListener('abort', wake);
    await this.#prepare().catch((error: unknown) => this.#failed(error, 'due'));
    await this.#adopt();
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
    const found = await this.#parts.passfile.adopt().catch((error: unknown) => {
      this.#failed(error, 'due');
    });
    if (!found) return;
    this.#inPlace = adopted(found, this.#circumstances());
    this.#adoptionPending = this.tokenInPlace !== undefined;
    if (found.problem) {
      // It is tried again as for a changed template: with the token in place.
      this.#templateChanged = true;
      this.#failed(found.problem, 'template');
      return;
    }
    if (found.rewritten) this.#parts.onEvent({ type: 'passfile.written' });
    this.#tellAdoption();
  }

  /** Once the file is as it is to be: clients cannot read it before. */
  #tellAdoption(): void {
    const token = this.tokenInPlace;
    if (!this.#adoptionPending || token === undefined) return;
    this.#adoptionPending = false;
    const refreshInMs = Math.max(0, this.#untilDueMs());
    this.#parts.onEvent({ type: 'passfile.adopted', token, refreshInMs });
  }

  /** Another pgpassd has put a token in place that lasts longer than ours. */
  takeOver(found: FoundLife & { readonly token: Secret }): void {
    this.#inPlace = adopted(found, this.#circumstances());
    this.#unpublished = undefined;
    this.#adoptionPending = true;
    this.#tellAdoption();
    this.wake();
  }

  /** Sleeps until something is to be done, in naps: see LONGEST_NAP_MS. */
  async #rest(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#nap = new AbortController();
      if (this.#stepped) await this.#lookAgain();
      const untilMs = Math.min(this.#untilRefreshMs(), this.#untilTemplateMs());
      if (untilMs <= 0) return;
      const napMs = Math.min(Math.ceil(untilMs), this.#parts.longestNapMs ?? LONGEST_NAP_MS);
      this.#turn = { at: this.#parts.clock.now(), napMs };
      await this.#parts.clock.sleep(napMs, this.#nap.signal);
    }
  }

  /** What seemed expired, or not valid yet, may be valid by a clock that was set right. */
  async #lookAgain(): Promise<void> {
    this.#stepped = false;
    if (this.tokenInPlace !== undefined) return;
    await this.#adopt();
  }

  #untilRefreshMs(): number {
    const now = this.#parts.clock.now();
    const scheduledMs = this.#trouble
      ? leftMs(this.#trouble.retry, now)
      : Math.max(this.#untilDueMs(), this.#restMs(SHORTEST_INTERVAL_MS.due));
    if (this.#asked === undefined) return scheduledMs;
    const askedMs = Math.max(
      leftMs(this.#asked.wait, now),
      this.#restMs(SHORTEST_INTERVAL_MS.asked),
    );
    return Math.min(scheduledMs, askedMs);
  }

  /** Without a token there is nothing to put into the changed template yet. */
  #untilTemplateMs(): number {
    if (!this.#templateChanged || !(this.tokenInPlace ?? this.#freshUnpublished())) return Infinity;
    const retryMs = this.#templateTrouble
      ? leftMs(this.#templateTrouble.retry, this.#parts.clock.now())
      : 0;
    return Math.max(retryMs, this.#restMs(SHORTEST_INTERVAL_MS.asked));
  }

  #restMs(intervalMs: number): number {
    if (this.#lastAttempt === undefined) return 0;
    return leftMs({ since: this.#lastAttempt, delayMs: intervalMs }, this.#parts.clock.now());
  }

  #untilDueMs(): number {
    return this.#inPlace ? leftMs(this.#inPlace.due, this.#parts.clock.now()) : 0;
  }

  async #attempt(signal: AbortSignal): Promise<void> {
    // What was fetched and could not be written may fit the changed template.
    const refreshing = this.#untilRefreshMs() <= 0 || this.#freshUnpublished() !== undefined;
    const asked = refreshing ? this.#asked : undefined;
    const cause = refreshing ? (asked?.cause ?? this.#trouble?.cause ?? 'due') : 'template';
    const waiting = this.#freshUnpublished();
    const templateChanged = this.#templateChanged;
    this.#templateChanged = false;
    if (refreshing) this.#asked = undefined;
    this.#lastAttempt = this.#parts.clock.now();
    this.#turn = { at: this.#lastAttempt, napMs: undefined };
    try {
      if (!this.#prepared) await this.#prepare();
      if (!refreshing) await this.#republish();
      else if (cause !== 'due' || this.#untilDueMs() <= 0) {
        await this.#refresh(cause, asked !== undefined, signal);
      }
      this.#succeeded(cause);
    } catch (error) {
      // What is still to be written is written by the changed template, whenever that succeeds.
      if (templateChanged && !this.#freshUnpublished()) this.#templateChanged = true;
      if (signal.aborted) return;
      this.#failed(error, cause);
      // What was fetched before still waits to be written, and another token is wanted after it.
      if (asked && waiting && this.#unpublished === waiting && this.#trouble) {
        this.#asked ??= { cause: asked.cause, wait: this.#trouble.retry };
      }
    }
  }

  /** Puts the token in place into a changed template. */
  async #republish(): Promise<void> {
    const held = this.tokenInPlace && this.#inPlace;
    if (held) await this.#publish(held);
    this.#tellAdoption();
  }

  /** What was fetched and could not be written goes first; `anew` when another one was asked for. */
  async #refresh(cause: RefreshCause, anew: boolean, signal: AbortSignal): Promise<void> {
    const started = this.#parts.clock.now();
    this.#parts.onEvent({ type: 'refresh.started', cause });
    const waiting = this.#freshUnpublished();
    if (waiting !== undefined) await this.#putInPlace(waiting, started);
    if (waiting !== undefined && !anew) return;
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

  #freshUnpublished(): HeldToken | undefined {
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

  /** A refresh writes by the changed template, too; a template in force is no success of refreshing. */
  #succeeded(cause: RefreshCause): void {
    const ended =
      cause === 'template' ? this.#templateTrouble : (this.#trouble ?? this.#templateTrouble);
    this.#templateTrouble = undefined;
    if (cause !== 'template') this.#trouble = undefined;
    if (ended === undefined || this.#trouble !== undefined) return;
    const { failures, began } = ended;
    const lastedMs = elapsedMs(began, this.#parts.clock.now());
    this.#parts.onEvent({ type: 'refresh.recovered', failures, lastedMs });
  }

  #failed(thrown: unknown, cause: RefreshCause): void {
    const { clock, random, onEvent } = this.#parts;
    const error = asPgpassdError(thrown);
    const now = clock.now();
    const before = cause === 'template' ? this.#templateTrouble : this.#trouble;
    const failures = (before?.failures ?? 0) + 1;
    const token = this.tokenInPlace;
    const tokenValidForMs = token?.remainingMs ?? 0;
    const delayMs = retryDelayMs({ error, failures, tokenValidForMs, random: random() });
    const retry = { since: now, delayMs };
    const began = before?.began ?? now;
    const trouble = { failures, began, cause, code: error.code, retry };
    if (cause === 'template') this.#templateTrouble = trouble;
    else this.#trouble = trouble;
    const expiredForMs = token ? undefined : this.#expiredForMs(now);
    const retryInMs = delayMs;
    onEvent({ type: 'refresh.failed', cause, error, failures, token, expiredForMs, retryInMs });
  }
}
