import { cause } from '../../support/cause.ts';

export const passwordVariable = cause(
  'pgpassword-set',
  'passfile.overridden',
  'PGPASSWORD is set: libpq sends that, and does not look at the passfile',
  "Remove PGPASSWORD from the container's env and envFrom, and from what its start script exports.",
);

export const otherPassfile = cause(
  'pgpassfile-differs',
  'passfile.overridden',
  'PGPASSFILE is {pgpassfile}, which clients read, and not {path}, which --passfile (PGPASSD_PASSFILE) names',
  'Let both name the same file; it is enough to set PGPASSFILE.',
);

export const passfileVariableUnset = cause(
  'pgpassfile-unset',
  'passfile.overridden',
  'PGPASSFILE is not set: clients look for .pgpass in their home directory, and not at {path}',
  'Set PGPASSFILE={path} in the env of the application.',
);

export const servicePassword = cause(
  'service-password',
  'passfile.overridden',
  'the service {service} of {file} has a password: libpq sends that, and does not look at the passfile',
  'Remove password= from the service.',
);

export const servicePassfile = cause(
  'service-passfile',
  'passfile.overridden',
  'the service {service} of {file} names another passfile, {other}',
  'Remove passfile= from the service, or let it name {path}.',
);

export const serviceMissing = cause(
  'service-missing',
  'passfile.overridden',
  'PGSERVICE is {service}, which {files} do not define: libpq refuses to connect',
  'Correct PGSERVICE, or let PGSERVICEFILE name the file that defines the service; if that does not exist, libpq looks no further.',
);

export const cleartextForbidden = cause(
  'cleartext-forbidden',
  'passfile.overridden',
  '{variable}={value} forbids libpq to send a password as it is, which is how a token is sent',
  'Unset {variable}: the token goes to the server as a password inside TLS, and sslmode=verify-full is what protects it.',
);
