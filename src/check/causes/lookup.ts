import { failure } from '../../support/failure.ts';

export const noLineForConnection = failure<'path' | 'connection' | 'differences'>(
  'lookup-no-line',
  'passfile.no-line',
  ({ path, connection, differences }) => ({
    found: `no line of the passfile ${path} is for ${connection}: ${differences}`,
    remedy:
      'Spell host, port, database and user alike in the client and in the --entry (PGPASSD_ENTRIES) of pgpassd: libpq compares them byte by byte, so that another case, an alias, an address or a trailing dot makes another host.',
  }),
);

export const noTokenForEntry = failure<'line' | 'path' | 'entry'>(
  'lookup-no-token',
  'passfile.no-line',
  ({ line, path, entry }) => ({
    found: `line ${line} of the passfile ${path}, which is for ${entry}, holds a password that is no token of Entra`,
    remedy:
      'Let --passfile (PGPASSFILE) name the file that pgpassd writes, and see that pgpassd run is in this pod: it would have replaced this one.',
  }),
);

export const staticPasswordFirst = failure<'connection' | 'line' | 'path' | 'later'>(
  'lookup-static-password',
  'passfile.overridden',
  ({ connection, line, path, later }) => ({
    found: `${connection} gets the password in line ${line} of the passfile ${path}, which is no token, and never the token in line ${later}`,
    remedy: `Remove line ${line} from the template or put it below: libpq takes the first line that matches, and looks no further.`,
  }),
);

export const lineShadowed = failure<'line' | 'path' | 'by'>(
  'lookup-shadowed-line',
  'passfile.overridden',
  ({ line, path, by }) => ({
    found: `line ${line} of the passfile ${path} is never reached: line ${by} matches whatever it matches`,
    remedy:
      'Put the line that is for less first, or remove one of the two: libpq takes the first line that matches, and looks no further.',
  }),
);
