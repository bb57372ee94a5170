import type { ErrorCode } from './support/errors.ts';

/** The exit code of each failure. */
const exitCodes = {
  internal: 1,
  'config.invalid': 2,
  'federated-token.missing': 3,
  'federated-token.unreadable': 3,
  'federated-token.empty': 3,
  'federated-token.malformed': 3,
  'federated-token.expired': 3,
  'entra.refused': 4,
  'entra.throttled': 5,
  'entra.unavailable': 5,
  'entra.unreachable': 5,
  'entra.untrusted': 5,
  'entra.timeout': 5,
  'entra.bad-answer': 5,
  'token-command.failed': 5,
  'token-command.bad-output': 5,
  'token-source.failed': 5,
  'passfile.unwritable': 6,
  'passfile.no-space': 6,
  'passfile.unavailable': 6,
  'passfile.missing': 7,
  'passfile.ignored': 7,
  'passfile.malformed': 7,
  'passfile.expired': 7,
  'passfile.no-line': 7,
  'passfile.overridden': 7,
  'server.unreachable': 8,
  'server.refused': 8,
  'clock.wrong': 3,
} as const satisfies Record<ErrorCode, number>;

export function exitCodeOf(code: ErrorCode): number {
  return exitCodes[code];
}

/** The same for operators, as `--help` shows it. */
export const exitCodesHelp = `Exit codes:
  0      success, or run was stopped
  1      internal error
  2      usage or configuration
  3      federated token, or a wrong clock
  4      refused by Entra
  5      Entra not reached, or no usable answer from it or from the token command
  6      passfile not written
  7      passfile not usable (wait, check)
  8      login failed (check --connect)
  128+n  stopped by signal n before it was done (once, wait, check)
`;
