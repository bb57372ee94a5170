import { cause } from '../support/cause.ts';

const WRONG_FILE = 'Let --passfile (PGPASSFILE) name the file that pgpassd writes';

export const passfileMissing = cause(
  'passfile-missing',
  'passfile.missing',
  'the passfile {path} does not exist',
  'Check that pgpassd run is in this pod, that both containers mount the same volume, and that --passfile (PGPASSFILE) is the path in this one.',
);

export const passfileDangling = cause(
  'passfile-dangling',
  'passfile.missing',
  'the passfile {path} is a link to a file that does not exist',
  `${WRONG_FILE} instead of a link to it.`,
);

export const passfileNotAFile = cause(
  'passfile-not-a-file',
  'passfile.ignored',
  'the passfile {path} is not a regular file, so libpq ignores it',
  `${WRONG_FILE}, and mount its directory, without a subPath.`,
);

export const passfileLoose = cause(
  'passfile-mode',
  'passfile.ignored',
  'the passfile {path} has mode {mode}, so libpq ignores it: group and world must have no access',
  'Keep it on an emptyDir, where pgpassd sets its mode, or chmod it to 0600; what a Secret or ConfigMap mounts gets group access by fsGroup.',
);

export const passfileForbidden = cause(
  'passfile-forbidden',
  'passfile.ignored',
  'the passfile {path} cannot be read by {reader} (EACCES){belonging}',
  'Run both containers as the same user (runAsUser), or have pgpassd give the file away with --owner{uid}.',
);

export const passfileUnreadable = cause(
  'passfile-unreadable',
  'passfile.ignored',
  'the passfile {path} cannot be read by {reader} ({code}){belonging}',
  'See what is wrong with the volume it is on.',
);

export const passfileSilent = cause(
  'passfile-silent',
  'passfile.ignored',
  'the passfile {path} cannot be looked at: its volume does not answer',
  'Keep it on an emptyDir in memory; a volume of a network or a disk may hang for as long as whatever is behind it does.',
);

export const passfileTooLarge = cause(
  'passfile-too-large',
  'passfile.malformed',
  'the passfile {path} is too large for one',
  `${WRONG_FILE}.`,
);

export const passfileWithoutLines = cause(
  'passfile-without-lines',
  'passfile.malformed',
  'the passfile {path} has no line host:port:database:user:password',
  `${WRONG_FILE}, and let nobody else create it: pgpassd puts it in place whole.`,
);

export const passfileIsTemplate = cause(
  'passfile-is-template',
  'passfile.malformed',
  'line {line} of the passfile {path} has {placeholder} for a password: it is the template',
  `${WRONG_FILE}, not the one in its --template.`,
);

export const passfileTokenCut = cause(
  'passfile-token-cut',
  'passfile.malformed',
  'the password in line {line} of the passfile {path} begins like a token, but is not a whole one',
  'See who writes the file besides pgpassd, which puts it in place whole; a copy made by a script may have cut the line.',
);

export const passfileWithoutPassword = cause(
  'passfile-without-password',
  'passfile.malformed',
  'line {line} of the passfile {path} has no password',
  'Give the line a password in the template, or remove it: libpq looks no further than the first line that matches.',
);

export const passfileWithoutEntry = cause(
  'passfile-without-entry',
  'passfile.no-line',
  'the passfile {path} has no line for {entry}',
  'Add it to --entry (PGPASSD_ENTRIES) or --template of the pgpassd run that writes the file, spelled as the client spells it; when it is there already, start that pgpassd anew.',
);

export const passfileExpired = cause(
  'passfile-expired',
  'passfile.expired',
  'the token in line {line} of the passfile {path} expired {ago} ago',
  'See that pgpassd run is in this pod; the log of pgpassd run says why there is no newer token.',
);

export const passfileExpiring = cause(
  'passfile-expiring',
  'passfile.expired',
  'the token in line {line} of the passfile {path} has only {left} left, --min-validity asks for {minValidity}',
  'See in the log of pgpassd run when it gets the next one, or ask for less.',
);

export const volumeFull = cause(
  'passfile-volume-full',
  'passfile.no-space',
  'the passfile {path} cannot be written: its volume is full',
  "Raise the emptyDir's sizeLimit, or the quota of its user, or remove what fills it; pgpassd writes as soon as there is room.",
);

export const directoryForbidden = cause(
  'passfile-directory-forbidden',
  'passfile.unwritable',
  'the passfile {path} cannot be written: its directory is not writable for this user',
  'Mount a writable emptyDir there and let pgpassd run as a user who may write to it.',
);

export const ownerRefused = cause(
  'passfile-owner-refused',
  'passfile.unwritable',
  'the passfile {path} cannot be written: it cannot be given to the owner asked for',
  'Run pgpassd with the same runAsUser as the application instead of --owner, or as root with the capability CHOWN.',
);

export const modeNotKept = cause(
  'passfile-mode-not-kept',
  'passfile.unwritable',
  'the passfile {path} cannot be written: its file system does not keep the mode, and libpq ignores a file that others may read',
  'Use an emptyDir, or another volume that keeps the modes of files.',
);

export const volumeReadOnly = cause(
  'passfile-read-only',
  'passfile.unwritable',
  'the passfile {path} cannot be written: its file system is read-only',
  'Mount the emptyDir without readOnly in the container of pgpassd; only the application mounts it read-only.',
);

export const directoryMissing = cause(
  'passfile-directory-missing',
  'passfile.unwritable',
  'the passfile {path} cannot be written: its directory does not exist',
  'Mount the shared emptyDir at that directory, or correct --passfile (PGPASSFILE).',
);

export const directoryIsNone = cause(
  'passfile-directory-is-none',
  'passfile.unwritable',
  'the passfile {path} cannot be written: its directory is not a directory',
  'Correct --passfile (PGPASSFILE).',
);

export const passfileIsDirectory = cause(
  'passfile-is-directory',
  'passfile.unwritable',
  'the passfile {path} cannot be written: a directory stands in its place',
  'Name a file inside the mounted directory with --passfile (PGPASSFILE).',
);

export const passfileIsMount = cause(
  'passfile-is-mount',
  'passfile.unwritable',
  'the passfile {path} cannot be written: it is a mount point of its own, so it cannot be replaced',
  'Mount the directory instead of the single file (no subPath).',
);

export const volumeSilent = cause(
  'passfile-volume-silent',
  'passfile.unwritable',
  'the passfile {path} cannot be written: its volume does not answer',
  'Keep it on an emptyDir in memory; a volume of a network or a disk may hang for as long as whatever is behind it does.',
);

export const writeFailed = cause(
  'passfile-write-failed',
  'passfile.unwritable',
  'the passfile {path} cannot be written: writing failed ({code})',
  'Look at the volume behind {directory}.',
);

export const volumeFailing = cause(
  'passfile-volume-failing',
  'passfile.unavailable',
  'the passfile {path} cannot be written at the moment ({code})',
  'See whether the volume behind {directory} is reached, and what its server or disk says; pgpassd writes as soon as it can.',
);

export const directoryDisturbed = cause(
  'passfile-directory-disturbed',
  'passfile.unavailable',
  'the passfile {path} cannot be written: another user of its directory takes away or replaces what pgpassd puts there',
  'Mount the volume read-only in every container that does not write to it, and let no other user write to {directory}.',
);

export const passfileIsItsTemplate = cause(
  'passfile-same-as-template',
  'config.invalid',
  '--template and --passfile (PGPASSFILE) name the same file',
  'Keep the template elsewhere, in a ConfigMap or a Secret: the passfile is replaced, and the placeholders with it.',
);

export const passfileIsRead = cause(
  'passfile-same-file',
  'config.invalid',
  '--passfile (PGPASSFILE) and {setting} name the same file',
  'Let --passfile name a file of its own, on a volume shared with the clients: pgpassd replaces it.',
);

export const passfileForeign = cause(
  'passfile-foreign',
  'config.invalid',
  'the passfile {path} is not replaced, since it is not one that pgpassd wrote: {objection}',
  'Name another path with --passfile (PGPASSFILE); or make the file a --template, where the password of each line for the token is {placeholder}; or remove it when nothing in it is needed.',
);

export const passfileNotKept = cause(
  'passfile-not-kept',
  'config.invalid',
  'the passfile {path} is not replaced, since it is not one that pgpassd wrote ({objection}), and it cannot be kept as {kept}: {reason}',
  'Move it to another place, or name another path with --passfile (PGPASSFILE).',
);

export const passfileWouldBeTooLarge = cause(
  'passfile-would-be-too-large',
  'config.invalid',
  'the passfile {path} would have {sizeKiB} KiB with a token of {tokenBytes} bytes in each of the {lines} lines that hold the token, and no more than {limitKiB} KiB are read',
  'Name fewer lines with --entry (PGPASSD_ENTRIES) or --template: * stands for any port or database.',
);

export const passfileWouldHaveTooManyLines = cause(
  'passfile-would-have-too-many-lines',
  'config.invalid',
  'the passfile {path} would have more than {most} lines, and no more are read',
  'Name fewer lines with --entry (PGPASSD_ENTRIES) or --template: * stands for any port or database.',
);
