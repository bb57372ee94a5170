import { PgpassdError } from '../support/errors.ts';
import { readRegularFile, UnusableFile } from '../support/files.ts';
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
  return readRegularFile(path, LARGEST_TEMPLATE_BYTES).catch((error: unknown) => {
    throw error instanceof UnusableFile ? unusable(path, error.message, error) : error;
  });
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
