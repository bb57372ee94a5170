import type { Secret } from '../../support/secret.ts';
import type { LoginTarget } from './target.ts';

/** How far a login came: its name is looked up, a connection made, TLS agreed on, the role let in. */
export type Stage = 'name' | 'connection' | 'tls' | 'login';

/** What is known of a login besides what it ended with. */
export interface LoginAttempt {
  readonly target: LoginTarget;
  readonly stage: Stage;
  /** Where it was connected to last. */
  readonly address: string | undefined;
  /** What the server asked for instead of the token itself. */
  readonly asked: 'SCRAM' | 'MD5' | undefined;
  readonly token: Secret;
  readonly timeoutMs: number;
}
