import type { Kubectl } from '../kubectl.ts';
import type { Observations } from '../observations.ts';

/** What a scenario has to play on. */
export interface Stage {
  readonly kubectl: Kubectl;
  /** What Entra and PostgreSQL see. */
  readonly observations: Observations;
  /** Creates what an overlay describes. */
  readonly apply: (overlay: string) => Promise<void>;
}

/** One way to use pgpassd. Returns what it saw, in words; throws when it saw something else. */
export type Play = (stage: Stage) => Promise<string>;

export interface Scenario {
  readonly name: string;
  readonly play: Play;
}
