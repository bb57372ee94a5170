import { failure } from '../../support/failure.ts';

export const daemonNotReady = failure<'address' | 'reason'>(
  'daemon-not-ready',
  'passfile.expired',
  ({ address, reason }) => ({
    found: `pgpassd at ${address} is not ready: ${reason}`,
    remedy:
      'Look at its log for what it does about it. It has settings of its own when they stand in args.',
  }),
);

export const daemonFailing = failure<'address' | 'state' | 'message' | 'remedy'>(
  'daemon-failing',
  'entra.unavailable',
  ({ address, state, message, remedy }) => ({
    found: `pgpassd at ${address} is ${state}, and its last attempt failed: ${message}`,
    remedy: `${remedy}`,
  }),
);
