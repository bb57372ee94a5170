import { open, readdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { publishPassfile } from '../../src/passfile/publish.ts';
import { PgpassdError } from '../../src/support/errors.ts';

/**
 * Publishes while only FREE more files can be opened, under a limit that the caller sets, and prints
 * the outcome and what is in the directory afterwards: `node FILE PASSFILE FREE`.
 */
const [path = '', free] = process.argv.slice(2);
const opened: Awaited<ReturnType<typeof open>>[] = [];
for (;;) {
  const file = await open('/dev/null').catch(() => undefined);
  if (file === undefined) break;
  opened.push(file);
}
for (const file of opened.splice(0, Number(free))) await file.close();
const target = { path, mode: 0o600, owner: undefined };
const outcome = await publishPassfile(target, Buffer.from('one\n')).catch((error: unknown) =>
  error instanceof PgpassdError ? { code: error.code, message: error.message } : String(error),
);
for (const file of opened) await file.close();
console.log(JSON.stringify({ outcome, names: await readdir(dirname(path)) }));
