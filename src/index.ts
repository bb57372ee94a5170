export type { Entry } from './passfile/format.ts';
export {
  createRefresher,
  type PassfileRefresher,
  type RefresherOptions,
} from './refresh/create-refresher.ts';
export type { Damage, RefreshCause, RefreshEvent, TokenInPlace } from './refresh/events.ts';
export type { Turn } from './refresh/schedule.ts';
export type { IssuedToken, TokenSource } from './refresh/token-source.ts';
export type { Clock, Instant } from './support/clock.ts';
export { type ErrorCode, PgpassdError } from './support/errors.ts';
export type { JwtClaims } from './support/jwt.ts';
export { Secret } from './support/secret.ts';
