/** A host and port to listen on or to connect to. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** `host:port`, with an IPv6 address in brackets. */
export function formatAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether listening on this host means listening on every address of the machine. */
export function meansEveryAddress(host: string): boolean {
  return ['', '0.0.0.0', '::'].includes(host);
}

/** Whether `text` is a number from 1 to 65535. */
export function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;
}

/** Whether the environment asks Node.js to leave certificates unverified. */
export function asksForNoVerification(env: Readonly<Record<string, string | undefined>>): boolean {
  return env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0';
}

/** The warning where it does. */
export const STILL_VERIFIED =
  'NODE_TLS_REJECT_UNAUTHORIZED=0 is ignored: certificates are always verified; remove it, and name your own CA with --ca-file';
