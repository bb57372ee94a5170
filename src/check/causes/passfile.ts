import { cause } from '../../support/cause.ts';

export const passfileOtherOwner = cause(
  'passfile-owner',
  'passfile.ignored',
  'the passfile {path} belongs to uid {owner}: a client that runs as uid {expected} cannot read it, and libpq does not say so',
  'Give both containers the same runAsUser ({expected}), or have pgpassd give the file away with --owner {expected}, which it may as root with the capability CHOWN.',
);

export const passfileUnnamed = cause(
  'passfile-unnamed',
  'passfile.missing',
  'PGPASSFILE is not set, and there is no .pgpass in the home directory, where clients then look',
  'Set PGPASSFILE in the env of the application to the file that pgpassd writes.',
);

export const passfileMisnamed = cause(
  'passfile-name',
  'passfile.missing',
  'the passfile is named "{name}", which {problem}',
  'Write the whole path of the file, such as /pgpass/pgpass, in PGPASSFILE (--passfile), in both containers.',
);

export const passfileFrozen = cause(
  'passfile-frozen',
  'passfile.ignored',
  'the passfile {path} is a mount of its own, as subPath makes it: what pgpassd puts in place later never shows there',
  'Mount the directory instead of the single file, without subPath, and set PGPASSFILE to the file in it.',
);

export const lineMalformed = cause(
  'passfile-line-malformed',
  'passfile.malformed',
  'line {line} of the passfile {path} has fewer than five fields: libpq passes over it, and other clients fail at it',
  'Write it as host:port:database:user:password in the template, or begin it with # if it is a comment.',
);

export const lineBlanks = cause(
  'passfile-line-blanks',
  'passfile.malformed',
  'the {field} in line {line} of the passfile {path} begins or ends with a blank, which libpq takes as a part of it',
  'Remove the blank in the template or in --entry (PGPASSD_ENTRIES).',
);

export const lineByteOrderMark = cause(
  'passfile-byte-order-mark',
  'passfile.malformed',
  'the passfile {path} begins with a byte order mark, which libpq takes as a part of the first host',
  'Save the template as UTF-8 without a byte order mark.',
);

export const lineEmptyField = cause(
  'passfile-line-empty-field',
  'passfile.malformed',
  'line {line} of the passfile {path} has no {field}, so it matches nothing',
  'Write * for any {field} in the template.',
);
