import { describe, expect, test } from 'vitest';
import { suggestionFor } from '../../src/config/read-options.ts';

const commands = ['run', 'once', 'wait', 'check', 'help', 'version'];
const flags = ['--passfile', '--entry', '--mode', '--refresh-fraction', '--federated-token-file'];

describe('what is near is suggested', () => {
  test.each([
    ['onec', 'once'],
    ['onc', 'once'],
    ['chekc', 'check'],
    ['hlep', 'help'],
    ['Run', 'run'],
  ])('%s: %s', (word, expected) => {
    expect(suggestionFor(word, commands)).toBe(expected);
  });

  test.each([
    ['--pasfile', '--passfile'],
    ['-mode', '--mode'],
    ['--entries', '--entry'],
    ['--Mode', '--mode'],
    ['--refresh', '--refresh-fraction'],
    ['--federated-tokenfile', '--federated-token-file'],
    ['--entry:db:5432', '--entry'],
  ])('%s: %s', (flag, expected) => {
    expect(suggestionFor(flag, flags, '--')).toBe(expected);
  });
});

describe('what is not near is not', () => {
  test.each(['start', 'stop', 'daemon', 'x', '', '*'])('%s', (word) => {
    expect(suggestionFor(word, commands)).toBeUndefined();
  });

  test('help was once no command, and is not check', () => {
    expect(suggestionFor('help', ['run', 'once', 'wait', 'check'])).toBeUndefined();
  });

  test.each(['--verbose', '--re', '--', '-', '-x', '--correct-horse-battery-staple'])(
    '%s',
    (flag) => {
      expect(suggestionFor(flag, flags, '--')).toBeUndefined();
    },
  );
});
