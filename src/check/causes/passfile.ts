import { failure } from '../../support/failure.ts';

export const passfileOtherOwner = failure<'path' | 'owner' | 'expected'>(
  'passfile-owner',
  'passfile.ignored',
  ({ path, owner, expected }) => ({
    found: `the passfile ${path} belongs to uid ${owner}: a client that runs as uid ${expected} cannot read it, and libpq does not say so`,
    remedy: `Give both containers the same runAsUser (${expected}), or have pgpassd give the file away with --owner ${expected}, which it may as root with the capability CHOWN.`,
  }),
);

export const passfileUnnamed = failure('passfile-unnamed', 'passfile.missing', () => ({
  found:
    'PGPASSFILE is not set, and there is no .pgpass in the home directory, where clients then look',
  remedy: 'Set PGPASSFILE in the env of the application to the file that pgpassd writes.',
}));

export const passfileMisnamed = failure<'name' | 'problem'>(
  'passfile-name',
  'passfile.missing',
  ({ name, problem }) => ({
    found: `the passfile is named "${name}", which ${problem}`,
    remedy:
      'Write the whole path of the file, such as /pgpass/pgpass, in PGPASSFILE (--passfile), in both containers.',
  }),
);

export const passfileFrozen = failure<'path'>(
  'passfile-frozen',
  'passfile.ignored',
  ({ path }) => ({
    found: `the passfile ${path} is a mount of its own, as subPath makes it: what pgpassd puts in place later never shows there`,
    remedy:
      'Mount the directory instead of the single file, without subPath, and set PGPASSFILE to the file in it.',
  }),
);

export const lineMalformed = failure<'line' | 'path'>(
  'passfile-line-malformed',
  'passfile.malformed',
  ({ line, path }) => ({
    found: `line ${line} of the passfile ${path} has fewer than five fields: libpq passes over it, and other clients fail at it`,
    remedy:
      'Write it as host:port:database:user:password in the template, or begin it with # if it is a comment.',
  }),
);

export const lineBlanks = failure<'field' | 'line' | 'path'>(
  'passfile-line-blanks',
  'passfile.malformed',
  ({ field, line, path }) => ({
    found: `the ${field} in line ${line} of the passfile ${path} begins or ends with a blank, which libpq takes as a part of it`,
    remedy: 'Remove the blank in the template or in --entry (PGPASSD_ENTRIES).',
  }),
);

export const lineByteOrderMark = failure<'path'>(
  'passfile-byte-order-mark',
  'passfile.malformed',
  ({ path }) => ({
    found: `the passfile ${path} begins with a byte order mark, which libpq takes as a part of the first host`,
    remedy: 'Save the template as UTF-8 without a byte order mark.',
  }),
);

export const lineEmptyField = failure<'line' | 'path' | 'field'>(
  'passfile-line-empty-field',
  'passfile.malformed',
  ({ line, path, field }) => ({
    found: `line ${line} of the passfile ${path} has no ${field}, so it matches nothing`,
    remedy: `Write * for any ${field} in the template.`,
  }),
);
