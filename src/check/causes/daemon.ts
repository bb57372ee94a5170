import { cause } from '../../support/cause.ts';

export const daemonNotReady = cause(
  'daemon-not-ready',
  'passfile.expired',
  'pgpassd at {address} is not ready: {reason}',
  'Look at its log for what it does about it. It has settings of its own when they stand in args.',
);

export const daemonFailing = cause(
  'daemon-failing',
  'entra.unavailable',
  'pgpassd at {address} is {state}, and its last attempt failed: {message}',
  '{remedy}',
);
