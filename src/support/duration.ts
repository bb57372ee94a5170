/** A length of time as a person says it: seconds up to two minutes, minutes up to two hours. */
export function duration(ms: number): string {
  if (ms < 120_000) return `${seconds(ms)} s`;
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 360_000) / 10} h`;
}

/** To the tenth. */
export function seconds(ms: number): number {
  return Math.round(ms / 100) / 10;
}
