import { expect, test } from 'vitest';
import { readOptions, UsageError } from './options.ts';

test.each([
  [[], { seconds: undefined, clientId: undefined }],
  [['--seconds', '12'], { seconds: 12, clientId: undefined }],
  [['--seconds=0.5', '--client-id', 'other'], { seconds: 0.5, clientId: 'other' }],
  [['--help'], 'help'],
  [['-h', '--seconds', '12'], 'help'],
])('%j is understood', (args, options) => {
  expect(readOptions(args)).toEqual(options);
});

test.each([
  [['--second', '12'], "Unknown option '--second'; see --help."],
  [['12'], "Unexpected argument '12'; see --help."],
  [['--seconds'], "Option '--seconds <value>' argument missing; see --help."],
  [['--seconds', '0'], '--seconds takes a number of seconds above 0, such as 30.'],
  [['--seconds', '1e3'], '--seconds takes a number of seconds above 0, such as 30.'],
  [['--seconds', '9999999'], '--seconds takes a number of seconds above 0, such as 30.'],
])('%j is told in a sentence', (args, message) => {
  expect(() => readOptions(args)).toThrow(new UsageError(message));
});
