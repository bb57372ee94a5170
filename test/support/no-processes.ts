import { channel } from 'node:diagnostics_channel';

/** Set-up of the unit tests, in which a test that starts a process fails. */
const started = channel('child_process');
if (!started.hasSubscribers) {
  started.subscribe(() => {
    throw new Error('A unit test starts a process: rename its file to *.integration.test.ts.');
  });
}
