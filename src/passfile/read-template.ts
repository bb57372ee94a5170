import { constants, open } from 'node:fs/promises';
import { PgpassdError, systemErrorCode } from '../support/errors.ts';
import type { PassfileLayout } from './layout.ts';
import { PLACEHOLDER, templateLayout } from './template.ts';

/** Far above any passfile; a larger file is the wrong file. */
const LARGEST_TEMPLATE_BYTES = 1024 * 1024;

/**
 * The bytes of the template, read whole in one open.
 *
 * @throws PgpassdError `config.invalid`
 */
export async function readTemplate(path: string): Promise<Buffer> {
  try {
    // Without O_NONBLOCK a FIFO would hold us until somebody writes to it.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stats = await file.stat();
      if (!stats.isFile()) throw unusable(path, 'is not a regular file');
      if (stats.size > LARGEST_TEMPLATE_BYTES) throw unusable(path, 'is too large for a passfile');
      return await file.readFile();
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof PgpassdError) throw error;
    throw unusable(path, `cannot be read (${systemErrorCode(error) ?? 'unknown error'})`, error);
  }
}

/**
 * The layout that a template's bytes describe.
 *
 * @throws PgpassdError `config.invalid` when no line is managed
 */
export function layoutOf(template: Buffer, path: string): PassfileLayout {
  const layout = templateLayout(template);
  if (layout === undefined) throw unusable(path, `has no line whose password is ${PLACEHOLDER}`);
  return layout;
}

function unusable(path: string, what: string, cause?: unknown): PgpassdError {
  return new PgpassdError(
    'config.invalid',
    `--template ${path} ${what}`,
    `Name a passfile that has a line such as host:5432:*:user:${PLACEHOLDER}.`,
    { cause },
  );
}
