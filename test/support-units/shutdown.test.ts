import { expect, test } from 'vitest';
import {
  LONGEST_FAREWELL_MS,
  LONGEST_LAST_WRITE_MS,
  LONGEST_LOG_CLOSE_MS,
  SHUTDOWN_MS,
} from '../../src/commands/command.ts';

/** The interface promises a second; on a busy machine a third of it goes into breaking off. */
const PROMISED_MS = 1_000;
const BREAKING_OFF_MS = 333;

test('the shares of the end leave something of it, and the end something of a second', () => {
  for (const workMs of [LONGEST_FAREWELL_MS, LONGEST_LAST_WRITE_MS]) {
    expect(workMs + LONGEST_LOG_CLOSE_MS).toBeLessThan(SHUTDOWN_MS);
  }
  expect(SHUTDOWN_MS + BREAKING_OFF_MS).toBeLessThan(PROMISED_MS);
});
