import type { AdoptedToken } from '../../src/passfile/layout.ts';
import type { RefreshEvent } from '../../src/refresh/events.ts';
import { type FetchToken, Refresher } from '../../src/refresh/refresher.ts';
import type { AccessToken } from '../../src/support/access-token.ts';
import { type Instant, withDeadline } from '../../src/support/clock.ts';
import { PgpassdError } from '../../src/support/errors.ts';
import { Secret } from '../../src/support/secret.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { seededRandom } from '../support/random.ts';

export interface WorldOptions {
  /** The life of the next token, in seconds. */
  readonly lifetimeSeconds: (random: () => number) => number;
  readonly refreshFraction?: number;
  readonly adopted?: (clock: FakeClock) => AdoptedToken;
  readonly refreshInSeconds?: number;
  /** Shared by a fleet; a clock of its own when absent. */
  readonly clock?: FakeClock;
  readonly seed?: number;
  readonly onEvent?: (event: RefreshEvent) => void;
  /** Instead of tokens that live for so long: what the source answers. */
  readonly answer?: () => Answer;
  /** Hands out the token it has until it expires. */
  readonly caching?: boolean;
  /** Keeps `events` empty, for a run longer than memory. */
  readonly forgetful?: boolean;
}

export interface Answer {
  readonly token: Secret;
  readonly lifeSeconds: number;
  /** The end by the issuer's clock. */
  readonly endsAtMs?: number;
}

interface IssuedToken {
  readonly token: Secret;
  readonly expiresAtTrueMs: number;
}

/** Longer than this Entra ever takes. */
const REQUEST_TIMEOUT_MS = 30_000;

/** The refresher with an Entra, a passfile and clients that live in simulated time. */
export class World {
  readonly clock: FakeClock;
  readonly random: () => number;
  readonly events: RefreshEvent[] = [];
  readonly refresher: Refresher;
  /** Thrown instead of an answer while set. */
  outage: PgpassdError | undefined;
  diskFull = false;
  exchanges = 0;
  /** Sum of the lives of all tokens handed out. */
  issuedSeconds = 0;
  /** True time without a valid token in the passfile, after the first one. */
  withoutTokenMs = 0;

  readonly #options: WorldOptions;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  /** True time at which the token in the passfile, or the source's own, expires. */
  #expiresAtTrueMs: number | undefined;
  #cached: IssuedToken | undefined;
  readonly #expiryOf = new WeakMap<Secret, number>();

  constructor(options: WorldOptions) {
    this.#options = options;
    this.clock = options.clock ?? new FakeClock();
    this.random = seededRandom(options.seed ?? 20261124);
    this.refresher = new Refresher({
      fetchToken: this.#fetchToken,
      passfile: {
        prepare: async () => 0,
        adopt: async () => this.#adopt(),
        publish: async (token) => this.#publish(token),
      },
      clock: this.clock,
      random: this.random,
      refreshFraction: options.refreshFraction ?? 0.5,
      onEvent: (event) => {
        if (!options.forgetful) this.events.push(event);
        options.onEvent?.(event);
      },
    });
  }

  start(): void {
    this.#running = this.refresher.run(this.#stop.signal);
  }

  async stop(): Promise<void> {
    this.#noteGap();
    this.#stop.abort();
    await this.#running;
  }

  /** What `run` was given; aborted by `stop`. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  count(type: RefreshEvent['type']): number {
    return this.events.filter((event) => event.type === type).length;
  }

  /** Whether a client that connects now gets in. */
  get tokenValid(): boolean {
    return this.#expiresAtTrueMs !== undefined && this.clock.trueMs < this.#expiresAtTrueMs;
  }

  #fetchToken: FetchToken = async (signal): Promise<AccessToken> => {
    this.exchanges += 1;
    const since = this.clock.now();
    await withDeadline(this.clock, REQUEST_TIMEOUT_MS, signal, (attempt) =>
      this.clock.sleep(50 + this.random() * 1950, attempt),
    );
    if (this.outage) throw this.outage;
    const { answer, caching, refreshInSeconds } = this.#options;
    if (answer) return this.#remember(answer(), since);
    const kept = caching && this.clock.trueMs < (this.#cached?.expiresAtTrueMs ?? 0);
    const issued = (kept && this.#cached) || this.#issue();
    this.#cached = issued;
    return {
      token: issued.token,
      life: { since, delayMs: issued.expiresAtTrueMs - this.clock.trueMs },
      ...(refreshInSeconds !== undefined && { refreshInMs: refreshInSeconds * 1000 }),
    };
  };

  #remember({ token, lifeSeconds, endsAtMs }: Answer, since: Instant): AccessToken {
    const delayMs = lifeSeconds * 1000;
    this.#expiryOf.set(token, this.clock.trueMs + delayMs);
    return { token, life: { since, delayMs, endsAtMs } };
  }

  #issue(): IssuedToken {
    const lifetimeSeconds = this.#options.lifetimeSeconds(this.random);
    this.issuedSeconds += lifetimeSeconds;
    const token = new Secret(`token-${this.exchanges}`);
    const expiresAtTrueMs = this.clock.trueMs + lifetimeSeconds * 1000;
    this.#expiryOf.set(token, expiresAtTrueMs);
    return { token, expiresAtTrueMs };
  }

  #adopt(): AdoptedToken | undefined {
    const adopted = this.#options.adopted?.(this.clock);
    if (adopted) this.#expiresAtTrueMs = adopted.expiresAtMs - this.clock.now().wallMs;
    return adopted;
  }

  #publish(token: Secret): 'written' {
    if (this.diskFull) throw new PgpassdError('passfile.no-space', 'full', 'Make room.');
    this.#noteGap();
    this.#expiresAtTrueMs = this.#expiryOf.get(token) ?? 0;
    return 'written';
  }

  #noteGap(): void {
    if (this.#expiresAtTrueMs === undefined) return;
    this.withoutTokenMs += Math.max(0, this.clock.trueMs - this.#expiresAtTrueMs);
  }
}

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

export function unreachable(): PgpassdError {
  return new PgpassdError('entra.unreachable', 'Entra is down', 'Wait.');
}
