import {
  type FederatedToken,
  parseFederatedToken,
  rotationCallsForRefresh,
} from '../../src/federated-token/federated-token.ts';
import { adoptToken, entriesLayout } from '../../src/passfile/layout.ts';
import { type FetchToken, Refresher } from '../../src/refresh/refresher.ts';
import type { Clock, Instant } from '../../src/support/clock.ts';
import { Secret } from '../../src/support/secret.ts';
import { unsignedJwt } from '../support-units/unsigned-jwt.ts';
import type { FleetPlan, FleetRecord } from './fleet.ts';
import { HOUR_MS, unreachable } from './world.ts';

const MINUTE_MS = 60_000;

/** Where the wall clocks of Entra and, until they are set, of the nodes begin. */
const EPOCH_MS = Date.UTC(2026, 10, 1);

/** Entra dates its tokens back by five minutes. */
const DATED_BACK_MS = 300_000;

const LAYOUT = entriesLayout([{ host: 'h', port: '5432', database: 'd', user: 'u' }]);

/** Instead of a new promise each time something has happened already. */
const DONE = Promise.resolve();
const NOTHING_SWEPT = Promise.resolve(0);
const WRITTEN = Promise.resolve('written' as const);
const FAILED = Promise.reject(unreachable());
// A new promise that is rejected before anybody waits for it would be costly.
FAILED.catch(() => undefined);

/** What an ended process waits for. */
function never<T>(): Promise<T> {
  return new Promise(() => undefined);
}

/** What kubelet projects: `kid` tells rotations of one identity apart. */
function federatedToken(iss: string, kid: string): FederatedToken {
  const claims = { iss, sub: 'system:serviceaccount:default:app', aud: ['api://entra'], kid };
  return parseFederatedToken(unsignedJwt(claims), '/federated-token');
}

const FEDERATED = {
  first: federatedToken('https://issuer.example/before', '1'),
  rotated: federatedToken('https://issuer.example/before', '2'),
  ofAnotherIssuer: federatedToken('https://issuer.example/after', '3'),
} as const;

interface Claims {
  /** In seconds. */
  readonly iat: number;
  readonly exp: number;
  readonly uti: number;
}

const [JOSE_HEADER, , SIGNATURE] = unsignedJwt({}).split('.');

/** Like unsignedJwt, at a third of its cost: a fleet takes hundreds of thousands. */
function accessToken({ iat, exp, uti }: Claims): string {
  const payload = Buffer.from(`{"iat":${iat},"exp":${exp},"uti":"${uti}"}`).toString('base64url');
  return `${JOSE_HEADER}.${payload}.${SIGNATURE}`;
}

interface Moment {
  /** Since the simulation began. */
  readonly atMs: number;
  readonly happens: () => void;
}

interface IssuedToken {
  readonly token: Secret;
  readonly claims: Claims;
}

/** A container whose passfile outlives the daemon in it. */
export class Pod {
  readonly #plan: FleetPlan;
  readonly #random: () => number;
  readonly #record: FleetRecord;
  readonly #clock: PodClock;
  /** Called when the daemon ends: what it waits for then never comes, which costs less than an abort. */
  #endProcess = () => {};
  #refresher: Refresher;
  /** How long until the next process starts, if there is to be one. */
  #downMs: number | undefined;
  #ended = false;
  #passfile: { readonly claims: Claims; readonly writtenAtMs: number } | undefined;
  #issued: IssuedToken | undefined;
  /** True time at which the token in the passfile expires. */
  #expiresAtMs = Infinity;
  #everWithoutToken = false;
  #federated = FEDERATED.first;
  #lastSent: FederatedToken | undefined;

  /** `random` is the fleet's. */
  constructor(plan: FleetPlan, random: () => number, record: FleetRecord) {
    this.#plan = plan;
    this.#random = random;
    this.#record = record;
    this.#downMs = plan.startsAtMinute(random) * MINUTE_MS;
    const moments: Moment[] = (plan.incidents ?? []).map(([minute, happens]) => ({
      atMs: minute * MINUTE_MS,
      happens: () => happens(this),
    }));
    if (plan.outage) {
      const atMs = plan.outage[1] * MINUTE_MS;
      moments.push({ atMs, happens: () => this.#noteOutageOver() });
    }
    moments.push({ atMs: plan.endsAtMinute * MINUTE_MS, happens: () => this.#end() });
    this.#clock = new PodClock(moments);
    this.#refresher = this.#createRefresher();
  }

  /** From the first start to the end of the simulation. */
  async live(): Promise<void> {
    while (!this.#ended && this.#downMs !== undefined) {
      this.#clock.pass(this.#downMs);
      this.#downMs = undefined;
      this.#lastSent = undefined;
      this.#refresher = this.#createRefresher();
      if (!this.#ended) await this.#run();
    }
    this.#noteExpiry();
    if (this.#everWithoutToken) this.#record.podsWithoutToken += 1;
    if (this.#refresher.failing) this.#record.podsFailing += 1;
  }

  /** From the start of the daemon to its end. */
  async #run(): Promise<void> {
    this.#clock.stopped = false;
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    this.#endProcess = () => {
      this.#clock.stopped = true;
      resolve();
    };
    await Promise.race([ended, this.#refresher.run(new AbortController().signal)]);
  }

  /** The daemon ends, and starts again at a random time within so much; the passfile stays. */
  restart(withinSeconds = 0): void {
    this.#downMs = this.#random() * withinSeconds * 1000;
    this.#endProcess();
  }

  /** The pod is replaced by one of its kind, which begins without a passfile. */
  replace(withinSeconds = 0): void {
    this.#noteExpiry();
    this.#passfile = undefined;
    this.#expiresAtMs = Infinity;
    this.restart(withinSeconds);
  }

  /** Kubelet wrote a new federated token, and the daemon noticed. */
  notice(which: keyof typeof FEDERATED): void {
    this.#federated = FEDERATED[which];
    const refreshing = rotationCallsForRefresh({
      federated: this.#federated,
      lastSent: this.#lastSent,
      tokenValid: this.#refresher.tokenInPlace !== undefined,
      failing: this.#refresher.failing,
    });
    if (refreshing) this.#refresher.ask('rotation');
  }

  /** SIGHUP. */
  hangUp(): void {
    this.#refresher.ask('request');
  }

  changeTemplate(): void {
    this.#refresher.ask('template');
  }

  /** The wall clock of the node is set; the true time goes on as before. */
  stepWallClock(hours: number): void {
    this.#clock.leadMs += hours * HOUR_MS;
  }

  #end(): void {
    this.#ended = true;
    this.#endProcess();
  }

  #createRefresher(): Refresher {
    const { longestNapMs = Infinity } = this.#plan;
    return new Refresher({
      fetchToken: this.#fetchToken,
      passfile: {
        prepare: () => NOTHING_SWEPT,
        adopt: async () => this.#adopt(),
        publish: (token) => this.#publish(token),
      },
      clock: this.#clock,
      random: this.#random,
      refreshFraction: 0.5,
      onEvent: (event) => {
        if (event.type === 'refresh.started') this.#record.refreshes[event.cause] += 1;
      },
      longestNapMs,
    });
  }

  #fetchToken: FetchToken = () => {
    const { requestsInSecond } = this.#record;
    const since = this.#clock.now();
    const second = Math.floor(this.#clock.trueMs / 1000);
    requestsInSecond[second] = (requestsInSecond[second] ?? 0) + 1;
    this.#lastSent = this.#federated;
    this.#clock.pass(50 + this.#random() * 1950);
    if (this.#clock.stopped) return never();
    const nowMs = this.#clock.trueMs;
    const { outage: [from, until] = [0, 0], lifeMinutes } = this.#plan;
    if (from * MINUTE_MS <= nowMs && nowMs < until * MINUTE_MS) return FAILED;
    const lifeSeconds = Math.floor(lifeMinutes(this.#random) * 60);
    const iat = Math.floor((EPOCH_MS + nowMs - DATED_BACK_MS) / 1000);
    const exp = Math.floor((EPOCH_MS + nowMs) / 1000) + lifeSeconds;
    const uti = Math.floor(this.#random() * 2 ** 30);
    // Spelled out only when it is read from the passfile.
    const token = new Secret(`access token ${uti}`);
    this.#issued = { token, claims: { iat, exp, uti } };
    return Promise.resolve({ token, life: { since, delayMs: lifeSeconds * 1000 } });
  };

  #adopt() {
    if (this.#passfile === undefined) return undefined;
    const { claims, writtenAtMs } = this.#passfile;
    return adoptToken(LAYOUT.render(accessToken(claims)), writtenAtMs, LAYOUT, () => true);
  }

  #publish(token: Secret): Promise<'written'> {
    this.#noteExpiry();
    const writtenAtMs = this.#clock.now().wallMs;
    // The other one is the token that was in the passfile already.
    const issued = token === this.#issued?.token ? this.#issued.claims : undefined;
    if (issued) this.#expiresAtMs = issued.exp * 1000 - EPOCH_MS;
    const claims = issued ?? this.#passfile?.claims;
    this.#passfile = claims && { claims, writtenAtMs };
    return WRITTEN;
  }

  #noteExpiry(): void {
    if (this.#clock.trueMs > this.#expiresAtMs) this.#everWithoutToken = true;
  }

  #noteOutageOver(): void {
    if (this.#refresher.failing) this.#record.podsFailingInOutage += 1;
  }
}

/** A clock that jumps to the end of each sleep, by way of the moments that lie before it. */
class PodClock implements Clock {
  /** Milliseconds since the simulation began. */
  trueMs = 0;
  /** The wall clock's lead over the true time. */
  leadMs = EPOCH_MS;
  /** The process has ended, so no sleep of it does. */
  stopped = false;
  readonly #moments: readonly Moment[];
  #next = 0;

  constructor(moments: readonly Moment[]) {
    this.#moments = moments.toSorted((one, other) => one.atMs - other.atMs);
  }

  now(): Instant {
    return { wallMs: this.trueMs + this.leadMs, monotonicMs: this.trueMs };
  }

  sleep(delayMs: number, signal: AbortSignal): Promise<void> {
    this.pass(delayMs, signal);
    return this.stopped ? never() : DONE;
  }

  /** Lets so much time pass, or less if the process ends or `signal` aborts. */
  pass(delayMs: number, signal?: AbortSignal): void {
    const wakeAtMs = this.trueMs + delayMs;
    for (;;) {
      const moment = this.#moments[this.#next];
      if (moment === undefined || moment.atMs > wakeAtMs) {
        this.trueMs = wakeAtMs;
        return;
      }
      this.#next += 1;
      this.trueMs = Math.max(this.trueMs, moment.atMs);
      moment.happens();
      if (this.stopped || signal?.aborted) return;
    }
  }
}
