import { cause } from '../../support/cause.ts';

export const clockOff = cause(
  'clock-off',
  'clock.wrong',
  'the clock of this node is {seconds} s {direction} that of {host}',
  'Set the clock of the node, whose time every pod on it has, and see that it is kept by NTP (timedatectl, chronyc tracking).',
);

export const issuerClockAhead = cause(
  'issuer-clock-ahead',
  'clock.wrong',
  "the federated token becomes valid only in {seconds} s, by this clock and by that of {host}: the clock of the cluster's API server is ahead",
  'Set the clocks of the control plane, and see that they are kept by NTP (timedatectl, chronyc tracking).',
);

export const tokenFromTheFuture = cause(
  'token-from-the-future',
  'clock.wrong',
  "the federated token becomes valid only in {seconds} s by this clock: it is behind, or that of the cluster's API server ahead",
  'Compare the clock of the node with the right time, set the one that is off, and see that both are kept by NTP (timedatectl, chronyc tracking).',
);
