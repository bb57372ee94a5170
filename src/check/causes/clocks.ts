import { failure } from '../../support/failure.ts';

export const clockOff = failure<'seconds' | 'direction' | 'host'>(
  'clock-off',
  'clock.wrong',
  ({ seconds, direction, host }) => ({
    found: `the clock of this node is ${seconds} s ${direction} that of ${host}`,
    remedy:
      'Set the clock of the node, whose time every pod on it has, and see that it is kept by NTP (timedatectl, chronyc tracking).',
  }),
);

export const issuerClockAhead = failure<'seconds' | 'host'>(
  'issuer-clock-ahead',
  'clock.wrong',
  ({ seconds, host }) => ({
    found: `the federated token becomes valid only in ${seconds} s, by this clock and by that of ${host}: the clock of the cluster's API server is ahead`,
    remedy:
      'Set the clocks of the control plane, and see that they are kept by NTP (timedatectl, chronyc tracking).',
  }),
);

export const tokenFromTheFuture = failure<'seconds'>(
  'token-from-the-future',
  'clock.wrong',
  ({ seconds }) => ({
    found: `the federated token becomes valid only in ${seconds} s by this clock: it is behind, or that of the cluster's API server ahead`,
    remedy:
      'Compare the clock of the node with the right time, set the one that is off, and see that both are kept by NTP (timedatectl, chronyc tracking).',
  }),
);
