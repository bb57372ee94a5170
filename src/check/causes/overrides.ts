import { failure } from '../../support/failure.ts';

export const passwordVariable = failure('pgpassword-set', 'passfile.overridden', () => ({
  found: 'PGPASSWORD is set: libpq sends that, and does not look at the passfile',
  remedy:
    "Remove PGPASSWORD from the container's env and envFrom, and from what its start script exports.",
}));

export const otherPassfile = failure<'pgpassfile' | 'path'>(
  'pgpassfile-differs',
  'passfile.overridden',
  ({ pgpassfile, path }) => ({
    found: `PGPASSFILE is ${pgpassfile}, which clients read, and not ${path}, which --passfile (PGPASSD_PASSFILE) names`,
    remedy: 'Let both name the same file; it is enough to set PGPASSFILE.',
  }),
);

export const passfileVariableUnset = failure<'path'>(
  'pgpassfile-unset',
  'passfile.overridden',
  ({ path }) => ({
    found: `PGPASSFILE is not set: clients look for .pgpass in their home directory, and not at ${path}`,
    remedy: `Set PGPASSFILE=${path} in the env of the application.`,
  }),
);

export const servicePassword = failure<'service' | 'file'>(
  'service-password',
  'passfile.overridden',
  ({ service, file }) => ({
    found: `the service ${service} of ${file} has a password: libpq sends that, and does not look at the passfile`,
    remedy: 'Remove password= from the service.',
  }),
);

export const servicePassfile = failure<'service' | 'file' | 'other' | 'path'>(
  'service-passfile',
  'passfile.overridden',
  ({ service, file, other, path }) => ({
    found: `the service ${service} of ${file} names another passfile, ${other}`,
    remedy: `Remove passfile= from the service, or let it name ${path}.`,
  }),
);

export const serviceMissing = failure<'service' | 'files'>(
  'service-missing',
  'passfile.overridden',
  ({ service, files }) => ({
    found: `PGSERVICE is ${service}, which ${files} do not define: libpq refuses to connect`,
    remedy:
      'Correct PGSERVICE, or let PGSERVICEFILE name the file that defines the service; if that does not exist, libpq looks no further.',
  }),
);

export const cleartextForbidden = failure<'variable' | 'value'>(
  'cleartext-forbidden',
  'passfile.overridden',
  ({ variable, value }) => ({
    found: `${variable}=${value} forbids libpq to send a password as it is, which is how a token is sent`,
    remedy: `Unset ${variable}: the token goes to the server as a password inside TLS, and sslmode=verify-full is what protects it.`,
  }),
);
