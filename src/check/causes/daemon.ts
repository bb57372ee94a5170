import { cause } from '../../support/cause.ts';

export const daemonNotReady = cause(
  'daemon-not-ready',
  'passfile.expired',
  'pgpassd at {address} is not ready: {reason}',
  'Look at its log: the last refresh.failed says what to do. It has settings of its own when they stand in args.',
);

export const daemonFailing = cause(
  'daemon-failing',
  'entra.unavailable',
  'pgpassd at {address} is ready, but its last attempt failed: {message}',
  '{remedy}',
);
