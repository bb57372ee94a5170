import type { DaemonLine } from './happening.ts';

/** A line of pgpassd's JSON log; what is no JSON is shown as it is, for it should not be there. */
export function parseDaemonLine(text: string): DaemonLine {
  const fields = parseObject(text);
  if (fields === undefined) return { level: 'error', event: 'unreadable', message: text };
  const { level, event, msg, tokenExpiresAt, nextRefreshInSeconds, remedy } = fields;
  return {
    level: String(level),
    event: String(event),
    message: String(msg),
    ...(typeof tokenExpiresAt === 'string' && { tokenExpiresAtMs: Date.parse(tokenExpiresAt) }),
    ...(typeof nextRefreshInSeconds === 'number' && {
      nextRefreshInMs: nextRefreshInSeconds * 1000,
    }),
    ...(typeof remedy === 'string' && { remedy }),
  };
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
