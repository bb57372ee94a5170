import { failure } from '../support/failure.ts';

const WRONG_FILE = 'Let --passfile (PGPASSFILE) name the file that pgpassd writes';

export const passfileMissing = failure<'path'>(
  'passfile-missing',
  'passfile.missing',
  ({ path }) => ({
    found: `the passfile ${path} does not exist`,
    remedy:
      'Check that pgpassd run is in this pod, that both containers mount the same volume, and that --passfile (PGPASSFILE) is the path in this one.',
  }),
);

export const passfileDangling = failure<'path'>(
  'passfile-dangling',
  'passfile.missing',
  ({ path }) => ({
    found: `the passfile ${path} is a link to a file that does not exist`,
    remedy: `${WRONG_FILE} instead of a link to it.`,
  }),
);

export const passfileNotAFile = failure<'path'>(
  'passfile-not-a-file',
  'passfile.ignored',
  ({ path }) => ({
    found: `the passfile ${path} is not a regular file, so libpq ignores it`,
    remedy: `${WRONG_FILE}, and mount its directory, without a subPath.`,
  }),
);

export const passfileLoose = failure<'path' | 'mode'>(
  'passfile-mode',
  'passfile.ignored',
  ({ path, mode }) => ({
    found: `the passfile ${path} has mode ${mode}, so libpq ignores it: group and world must have no access`,
    remedy:
      'Keep it on an emptyDir, where pgpassd sets its mode, or chmod it to 0600; what a Secret or ConfigMap mounts gets group access by fsGroup.',
  }),
);

export const passfileForbidden = failure<'path' | 'reader' | 'belonging' | 'uid'>(
  'passfile-forbidden',
  'passfile.ignored',
  ({ path, reader, belonging, uid }) => ({
    found: `the passfile ${path} cannot be read by ${reader} (EACCES)${belonging}`,
    remedy: `Run both containers as the same user (runAsUser), or have pgpassd give the file away with --owner${uid}.`,
  }),
);

export const passfileUnreadable = failure<'path' | 'reader' | 'code' | 'belonging'>(
  'passfile-unreadable',
  'passfile.ignored',
  ({ path, reader, code, belonging }) => ({
    found: `the passfile ${path} cannot be read by ${reader} (${code})${belonging}`,
    remedy: 'See what is wrong with the volume it is on.',
  }),
);

export const passfileSilent = failure<'path'>(
  'passfile-silent',
  'passfile.ignored',
  ({ path }) => ({
    found: `the passfile ${path} cannot be looked at: its volume does not answer`,
    remedy:
      'Keep it on an emptyDir in memory; a volume of a network or a disk may hang for as long as whatever is behind it does.',
  }),
);

export const passfileTooLarge = failure<'path'>(
  'passfile-too-large',
  'passfile.malformed',
  ({ path }) => ({ found: `the passfile ${path} is too large for one`, remedy: `${WRONG_FILE}.` }),
);

export const passfileWithoutLines = failure<'path'>(
  'passfile-without-lines',
  'passfile.malformed',
  ({ path }) => ({
    found: `the passfile ${path} has no line host:port:database:user:password`,
    remedy: `${WRONG_FILE}, and let nobody else create it: pgpassd puts it in place whole.`,
  }),
);

export const passfileIsTemplate = failure<'line' | 'path' | 'placeholder'>(
  'passfile-is-template',
  'passfile.malformed',
  ({ line, path, placeholder }) => ({
    found: `line ${line} of the passfile ${path} has ${placeholder} for a password: it is the template`,
    remedy: `${WRONG_FILE}, not the one in its --template.`,
  }),
);

export const passfileTokenCut = failure<'line' | 'path'>(
  'passfile-token-cut',
  'passfile.malformed',
  ({ line, path }) => ({
    found: `the password in line ${line} of the passfile ${path} begins like a token, but is not a whole one`,
    remedy:
      'See who writes the file besides pgpassd, which puts it in place whole; a copy made by a script may have cut the line.',
  }),
);

export const passfileWithoutPassword = failure<'line' | 'path'>(
  'passfile-without-password',
  'passfile.malformed',
  ({ line, path }) => ({
    found: `line ${line} of the passfile ${path} has no password`,
    remedy:
      'Give the line a password in the template, or remove it: libpq looks no further than the first line that matches.',
  }),
);

export const passfileWithoutEntry = failure<'path' | 'entry'>(
  'passfile-without-entry',
  'passfile.no-line',
  ({ path, entry }) => ({
    found: `the passfile ${path} has no line for ${entry}`,
    remedy:
      'Add it to --entry (PGPASSD_ENTRIES) or --template of the pgpassd run that writes the file, spelled as the client spells it; when it is there already, start that pgpassd anew.',
  }),
);

export const passfileExpired = failure<'line' | 'path' | 'ago'>(
  'passfile-expired',
  'passfile.expired',
  ({ line, path, ago }) => ({
    found: `the token in line ${line} of the passfile ${path} expired ${ago} ago`,
    remedy:
      'See that pgpassd run is in this pod; the log of pgpassd run says why there is no newer token.',
  }),
);

export const passfileExpiring = failure<'line' | 'path' | 'left' | 'minValidity'>(
  'passfile-expiring',
  'passfile.expired',
  ({ line, path, left, minValidity }) => ({
    found: `the token in line ${line} of the passfile ${path} has only ${left} left, --min-validity asks for ${minValidity}`,
    remedy: 'See in the log of pgpassd run when it gets the next one, or ask for less.',
  }),
);

export const volumeFull = failure<'path'>(
  'passfile-volume-full',
  'passfile.no-space',
  ({ path }) => ({
    found: `the passfile ${path} cannot be written: its volume is full`,
    remedy:
      "Raise the emptyDir's sizeLimit, or the quota of its user, or remove what fills it; pgpassd writes as soon as there is room.",
  }),
);

export const directoryForbidden = failure<'path'>(
  'passfile-directory-forbidden',
  'passfile.unwritable',
  ({ path }) => ({
    found: `the passfile ${path} cannot be written: its directory is not writable for this user`,
    remedy: 'Mount a writable emptyDir there and let pgpassd run as a user who may write to it.',
  }),
);

export const ownerRefused = failure<'path'>(
  'passfile-owner-refused',
  'passfile.unwritable',
  ({ path }) => ({
    found: `the passfile ${path} cannot be written: it cannot be given to the owner asked for`,
    remedy:
      'Run pgpassd with the same runAsUser as the application instead of --owner, or as root with the capability CHOWN.',
  }),
);

export const modeNotKept = failure<'path'>(
  'passfile-mode-not-kept',
  'passfile.unwritable',
  ({ path }) => ({
    found: `the passfile ${path} cannot be written: its file system does not keep the mode, and libpq ignores a file that others may read`,
    remedy: 'Use an emptyDir, or another volume that keeps the modes of files.',
  }),
);

export const volumeReadOnly = failure<'path'>(
  'passfile-read-only',
  'passfile.unwritable',
  ({ path }) => ({
    found: `the passfile ${path} cannot be written: its file system is read-only`,
    remedy:
      'Mount the emptyDir without readOnly in the container of pgpassd; only the application mounts it read-only.',
  }),
);

export const directoryMissing = failure<'path'>(
  'passfile-directory-missing',
  'passfile.unwritable',
  ({ path }) => ({
    found: `the passfile ${path} cannot be written: its directory does not exist`,
    remedy: 'Mount the shared emptyDir at that directory, or correct --passfile (PGPASSFILE).',
  }),
);

export const directoryIsNone = failure<'path'>(
  'passfile-directory-is-none',
  'passfile.unwritable',
  ({ path }) => ({
    found: `the passfile ${path} cannot be written: its directory is not a directory`,
    remedy: 'Correct --passfile (PGPASSFILE).',
  }),
);

export const passfileIsDirectory = failure<'path'>(
  'passfile-is-directory',
  'passfile.unwritable',
  ({ path }) => ({
    found: `the passfile ${path} cannot be written: a directory stands in its place`,
    remedy: 'Name a file inside the mounted directory with --passfile (PGPASSFILE).',
  }),
);

export const passfileIsMount = failure<'path'>(
  'passfile-is-mount',
  'passfile.unwritable',
  ({ path }) => ({
    found: `the passfile ${path} cannot be written: it is a mount point of its own, so it cannot be replaced`,
    remedy: 'Mount the directory instead of the single file (no subPath).',
  }),
);

export const volumeSilent = failure<'path'>(
  'passfile-volume-silent',
  'passfile.unwritable',
  ({ path }) => ({
    found: `the passfile ${path} cannot be written: its volume does not answer`,
    remedy:
      'Keep it on an emptyDir in memory; a volume of a network or a disk may hang for as long as whatever is behind it does.',
  }),
);

export const writeFailed = failure<'path' | 'code' | 'directory'>(
  'passfile-write-failed',
  'passfile.unwritable',
  ({ path, code, directory }) => ({
    found: `the passfile ${path} cannot be written: writing failed (${code})`,
    remedy: `Look at the volume behind ${directory}.`,
  }),
);

export const volumeFailing = failure<'path' | 'code' | 'directory'>(
  'passfile-volume-failing',
  'passfile.unavailable',
  ({ path, code, directory }) => ({
    found: `the passfile ${path} cannot be written at the moment (${code})`,
    remedy: `See whether the volume behind ${directory} is reached, and what its server or disk says; pgpassd writes as soon as it can.`,
  }),
);

export const directoryDisturbed = failure<'path' | 'directory'>(
  'passfile-directory-disturbed',
  'passfile.unavailable',
  ({ path, directory }) => ({
    found: `the passfile ${path} cannot be written: another user of its directory takes away or replaces what pgpassd puts there`,
    remedy: `Mount the volume read-only in every container that does not write to it, and let no other user write to ${directory}.`,
  }),
);

export const passfileIsItsTemplate = failure('passfile-same-as-template', 'config.invalid', () => ({
  found: '--template and --passfile (PGPASSFILE) name the same file',
  remedy:
    'Keep the template elsewhere, in a ConfigMap or a Secret: the passfile is replaced, and the placeholders with it.',
}));

export const passfileIsRead = failure<'setting'>(
  'passfile-same-file',
  'config.invalid',
  ({ setting }) => ({
    found: `--passfile (PGPASSFILE) and ${setting} name the same file`,
    remedy:
      'Let --passfile name a file of its own, on a volume shared with the clients: pgpassd replaces it.',
  }),
);

export const passfileForeign = failure<'path' | 'objection' | 'placeholder'>(
  'passfile-foreign',
  'config.invalid',
  ({ path, objection, placeholder }) => ({
    found: `the passfile ${path} is not replaced, since it is not one that pgpassd wrote: ${objection}`,
    remedy: `Name another path with --passfile (PGPASSFILE); or make the file a --template, where the password of each line for the token is ${placeholder}; or remove it when nothing in it is needed.`,
  }),
);

export const passfileNotKept = failure<'path' | 'objection' | 'kept' | 'reason'>(
  'passfile-not-kept',
  'config.invalid',
  ({ path, objection, kept, reason }) => ({
    found: `the passfile ${path} is not replaced, since it is not one that pgpassd wrote (${objection}), and it cannot be kept as ${kept}: ${reason}`,
    remedy: 'Move it to another place, or name another path with --passfile (PGPASSFILE).',
  }),
);

export const passfileWouldBeTooLarge = failure<
  'path' | 'sizeKiB' | 'tokenBytes' | 'lines' | 'limitKiB'
>(
  'passfile-would-be-too-large',
  'config.invalid',
  ({ path, sizeKiB, tokenBytes, lines, limitKiB }) => ({
    found: `the passfile ${path} would have ${sizeKiB} KiB with a token of ${tokenBytes} bytes in each of the ${lines} lines that hold the token, and no more than ${limitKiB} KiB are read`,
    remedy:
      'Name fewer lines with --entry (PGPASSD_ENTRIES) or --template: * stands for any port or database.',
  }),
);

export const passfileWouldHaveTooManyLines = failure<'path' | 'most'>(
  'passfile-would-have-too-many-lines',
  'config.invalid',
  ({ path, most }) => ({
    found: `the passfile ${path} would have more than ${most} lines, and no more are read`,
    remedy:
      'Name fewer lines with --entry (PGPASSD_ENTRIES) or --template: * stands for any port or database.',
  }),
);
