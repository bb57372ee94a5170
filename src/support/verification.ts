/** The warning when the environment asks to leave certificates unverified. */
export const VERIFIED_ALL_THE_SAME =
  'NODE_TLS_REJECT_UNAUTHORIZED=0 is ignored: certificates are always verified; remove it, and name your own CA with --ca-file';

/** Whether the environment asks Node.js to leave certificates unverified. */
export function asksForNoVerification(env: Readonly<Record<string, string | undefined>>): boolean {
  return env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0';
}
