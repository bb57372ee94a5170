/** What Azure's stand-in saw. Its log has one a line, as JSON. */
export type Observation = Exchange | Login;

interface Exchange {
  readonly event: 'exchange';
  readonly at: string;
  /** Whom the federated token names: `system:serviceaccount:NAMESPACE:NAME`. */
  readonly subject: string;
  /** The access token's unique id, where one was issued. */
  readonly token?: string;
  /** Why none was. */
  readonly aadsts?: number;
}

export interface Login {
  readonly event: 'login';
  readonly at: string;
  readonly database: string;
  readonly ok: boolean;
  readonly token?: string;
  /** What the client was told instead. */
  readonly reason?: string;
}

/** Undefined for what is no observation, such as a warning of Node's. */
export function readObservation(line: string): Observation | undefined {
  if (!line.startsWith('{"event":')) return undefined;
  return JSON.parse(line) as Observation;
}
