/** Where something listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** As an operator writes it, with an IPv6 address in brackets. */
export function formatAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether who listens at this host listens at every address of the machine. */
export function meansEveryAddress(host: string): boolean {
  return ['', '0.0.0.0', '::'].includes(host);
}

/** A number from 1 to 65535. */
export function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;
}
