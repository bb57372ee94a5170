import { constants, open } from 'node:fs/promises';
import { type Mount, parseMountinfo } from './mountinfo.ts';

/** A few hundred bytes each; whatever has more mounts is no container. */
const LARGEST_TABLE_BYTES = 1024 * 1024;

/** The mounts of our own mount namespace; none where the system does not tell. */
export async function readMounts(): Promise<readonly Mount[]> {
  try {
    const file = await open('/proc/self/mountinfo', constants.O_RDONLY);
    try {
      return parseMountinfo(await beginningOf(file));
    } finally {
      await file.close();
    }
  } catch {
    return [];
  }
}

/** Files of /proc have no size and give a piece at a time. */
async function beginningOf(file: Awaited<ReturnType<typeof open>>): Promise<string> {
  const table = Buffer.alloc(LARGEST_TABLE_BYTES);
  let length = 0;
  while (length < table.length) {
    const { bytesRead } = await file.read(table, length, table.length - length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return table.toString('utf8', 0, length);
}
