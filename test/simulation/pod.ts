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

const OUTAGE = unreachable();
const PROCESS_ENDED = 'the process ended';

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

const [JOSE_HEADER, , SIGNATURE] = unsignedJwt({}).split('.');

/** Like unsignedJwt, at a third of its cost: a fleet takes hundreds of thousands. */
function accessToken(iat: number, exp: number, uti: number): string {
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
  readonly expiresAtMs: number;
}

/** A container whose passfile outlives the daemon in it. */
export class Pod {
  readonly #plan: FleetPlan;
  readonly #random: () => number;
  readonly #record: FleetRecord;
  readonly #clock: PodClock;
  #process = new AbortController();
  #refresher: Refresher;
  /** How long until the next process starts, if there is to be one. */
  #downMs: number | undefined;
  #ended = false;
  #passfile: { readonly token: Secret; readonly writtenAtMs: number } | undefined;
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
      await this.#clock.sleep(this.#downMs, new AbortController().signal);
      this.#downMs = undefined;
      this.#process = new AbortController();
      this.#lastSent = undefined;
      this.#refresher = this.#createRefresher();
      if (!this.#ended) await this.#refresher.run(this.#process.signal);
    }
    this.#noteExpiry();
    if (this.#everWithoutToken) this.#record.podsWithoutToken += 1;
    if (this.#refresher.failing) this.#record.podsFailing += 1;
  }

  /** The daemon ends, and starts again at a random time within so much; the passfile stays. */
  restart(withinSeconds = 0): void {
    this.#downMs = this.#random() * withinSeconds * 1000;
    this.#process.abort(PROCESS_ENDED);
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
    this.#process.abort(PROCESS_ENDED);
  }

  #createRefresher(): Refresher {
    const { longestNapMs = Infinity } = this.#plan;
    return new Refresher({
      fetchToken: this.#fetchToken,
      passfile: {
        prepare: async () => 0,
        adopt: async () => this.#adopt(),
        publish: async (token) => this.#publish(token),
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

  #fetchToken: FetchToken = async (signal) => {
    const { requestsInSecond } = this.#record;
    const since = this.#clock.now();
    const second = Math.floor(this.#clock.trueMs / 1000);
    requestsInSecond[second] = (requestsInSecond[second] ?? 0) + 1;
    this.#lastSent = this.#federated;
    await this.#clock.sleep(50 + this.#random() * 1950, signal);
    signal.throwIfAborted();
    const nowMs = this.#clock.trueMs;
    const { outage: [from, until] = [0, 0], lifeMinutes } = this.#plan;
    if (from * MINUTE_MS <= nowMs && nowMs < until * MINUTE_MS) throw OUTAGE;
    const lifeSeconds = Math.floor(lifeMinutes(this.#random) * 60);
    const iat = Math.floor((EPOCH_MS + nowMs - DATED_BACK_MS) / 1000);
    const exp = Math.floor((EPOCH_MS + nowMs) / 1000) + lifeSeconds;
    const token = new Secret(accessToken(iat, exp, this.#random()));
    this.#issued = { token, expiresAtMs: exp * 1000 - EPOCH_MS };
    return { token, life: { since, delayMs: lifeSeconds * 1000 } };
  };

  #adopt() {
    if (this.#passfile === undefined) return undefined;
    const { token, writtenAtMs } = this.#passfile;
    return adoptToken(LAYOUT.render(token.unwrap()), writtenAtMs, LAYOUT, () => true);
  }

  #publish(token: Secret): 'written' {
    this.#noteExpiry();
    this.#passfile = { token, writtenAtMs: this.#clock.now().wallMs };
    if (token === this.#issued?.token) this.#expiresAtMs = this.#issued.expiresAtMs;
    return 'written';
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
  readonly #moments: readonly Moment[];
  #next = 0;

  constructor(moments: readonly Moment[]) {
    this.#moments = moments.toSorted((one, other) => one.atMs - other.atMs);
  }

  now(): Instant {
    return { wallMs: this.trueMs + this.leadMs, monotonicMs: this.trueMs };
  }

  async sleep(delayMs: number, signal: AbortSignal): Promise<void> {
    const wakeAtMs = this.trueMs + delayMs;
    while (!signal.aborted) {
      const moment = this.#moments[this.#next];
      if (moment === undefined || moment.atMs > wakeAtMs) {
        this.trueMs = wakeAtMs;
        return;
      }
      this.#next += 1;
      this.trueMs = Math.max(this.trueMs, moment.atMs);
      moment.happens();
    }
  }
}
