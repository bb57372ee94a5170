import { cause } from '../../support/cause.ts';

export const noLineForConnection = cause(
  'lookup-no-line',
  'passfile.no-line',
  'no line of the passfile {path} is for {connection}: {differences}',
  'Spell host, port, database and user alike in the client and in the --entry (PGPASSD_ENTRIES) of pgpassd: libpq compares them byte by byte, so that another case, an alias, an address or a trailing dot makes another host.',
);

export const noTokenForEntry = cause(
  'lookup-no-token',
  'passfile.no-line',
  'line {line} of the passfile {path}, which is for {entry}, holds a password that is no token of Entra',
  'Let --passfile (PGPASSFILE) name the file that pgpassd writes, and see that pgpassd run is in this pod: it would have replaced this one.',
);

export const staticPasswordFirst = cause(
  'lookup-static-password',
  'passfile.overridden',
  '{connection} gets the password in line {line} of the passfile {path}, which is no token, and never the token in line {later}',
  'Remove line {line} from the template or put it below: libpq takes the first line that matches, and looks no further.',
);

export const lineShadowed = cause(
  'lookup-shadowed-line',
  'passfile.overridden',
  'line {line} of the passfile {path} is never reached: line {by} matches whatever it matches',
  'Put the line that is for less first, or remove one of the two: libpq takes the first line that matches, and looks no further.',
);
