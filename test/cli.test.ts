import { describe, expect, test } from 'vitest';
import { help, loadCommand, parseCommandLine } from '../src/cli.ts';
import { loadConfig } from '../src/config/config.ts';
import type { GivenFlag } from '../src/config/given.ts';
import { options } from '../src/config/options.ts';
import { everySample } from './config/samples.ts';

const given = (flag: string, value?: string): GivenFlag => ({ flag, value });

function flagsOf(args: readonly string[]): readonly GivenFlag[] {
  const invocation = parseCommandLine(args);
  if (invocation.kind !== 'command') throw new Error(`this asks for ${invocation.kind}`);
  return invocation.flags;
}

describe('a command line', () => {
  test.each([
    ['nothing', [], 'run'],
    ['run', ['run'], 'run'],
    ['once', ['once'], 'once'],
    ['wait', ['wait'], 'wait'],
    ['check', ['check'], 'check'],
    ['settings alone', ['--mode', '0400'], 'run'],
    ['once and settings', ['once', '--mode', '0400'], 'once'],
  ])('of %s names its command', (_case, args, command) => {
    expect(parseCommandLine(args)).toMatchObject({ kind: 'command', command });
  });

  test.each([
    ['--help', undefined],
    ['-h', undefined],
    ['run --help', 'run'],
    ['once -h', 'once'],
    ['check --offline --help', 'check'],
    ['wait --help -- psql', 'wait'],
    ['--mode 0640 --help', undefined],
    ['nonsense --help', undefined],
    ['--version --help', undefined],
  ])('of %s asks for help, of a command if it names one', (line, command) => {
    expect(parseCommandLine(line.split(' '))).toEqual({ kind: 'help', command });
  });

  test.each(['--version', 'once --version', 'wait --version -- psql --help'])(
    'of %s asks for the version',
    (line) => {
      expect(parseCommandLine(line.split(' '))).toEqual({ kind: 'version' });
    },
  );

  test('of wait keeps what follows two dashes for the program', () => {
    const words = ['wait', '--timeout', '5s', '--', 'psql', '--help', '--', '-c', ''];
    expect(parseCommandLine(words)).toEqual({
      kind: 'command',
      command: 'wait',
      flags: [given('--timeout', '5s')],
      rest: ['psql', '--help', '--', '-c', ''],
    });
  });

  test.each(['onec', 'Run', '', 'toString', 'constructor', '__proto__'])(
    'of %j names no command',
    (name) => {
      const parsing = () => parseCommandLine([name]);
      expect(parsing).toThrow(expect.objectContaining({ code: 'config.invalid' }));
      expect(parsing).toThrow(/is not a command; did you mean \w+\?/);
    },
  );

  test('of a misspelt command names the nearest', () => {
    expect(() => parseCommandLine(['onec'])).toThrow('onec is not a command; did you mean once?');
  });
});

test.each([['db:5432:app:me:s3cret'], ['once', 'db:5432:app:me:s3cret']])(
  'an entry with a password in the wrong place (%s) is not repeated',
  (...args) => {
    const running = async () => {
      const invocation = parseCommandLine(args);
      if (invocation.kind === 'command') loadConfig(invocation.flags, {}, 'run');
    };
    return expect(running()).rejects.toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('s3cret') }),
    );
  },
);

describe('a setting on the command line', () => {
  test.each(everySample.filter(([name]) => options[name].placeholder !== undefined))(
    'has its value after a blank or an equals sign: %s',
    (_name, { flag, fromFlag }) => {
      const [text] = fromFlag;
      expect(flagsOf([flag, text])).toEqual([given(flag, text)]);
      expect(flagsOf(['once', `${flag}=${text}`])).toEqual([given(flag, text)]);
    },
  );

  test.each<[string, string[], GivenFlag[]]>([
    ['is a switch', ['--allow-wildcard-host'], [given('--allow-wildcard-host')]],
    [
      'is a switch that is spelt out',
      ['--allow-wildcard-host=false'],
      [given('--allow-wildcard-host', 'false')],
    ],
    [
      'is given twice',
      ['--entry', 'a:::u', '--entry=b:::u'],
      [given('--entry', 'a:::u'), given('--entry', 'b:::u')],
    ],
    ['has an empty value', ['--mode='], [given('--mode', '')]],
    ['has an equals sign in its value', ['--scope=a=b'], [given('--scope', 'a=b')]],
    ['has a dash before its value', ['--owner', '-1'], [given('--owner', '-1')]],
    ['has dashes before its value', ['--scope=--x'], [given('--scope', '--x')]],
    ['ends the line without a value', ['--mode'], [given('--mode')]],
    [
      'is misspelt',
      ['--pasfile', '/x', '--mode', '0400'],
      [given('--pasfile', '/x'), given('--mode', '0400')],
    ],
    ['is misspelt with a value', ['--pasfile=/x'], [given('--pasfile', '/x')]],
    ['is a letter', ['-m', '0400'], [given('-m', '0400')]],
    ['is a word', ['run', 'once'], [given('once')]],
    ['is a word among others', ['--mode', '0400', 'x'], [given('--mode', '0400'), given('x')]],
    [
      'is a word after a switch',
      ['--allow-wildcard-host', 'x'],
      [given('--allow-wildcard-host'), given('x')],
    ],
    ['follows two dashes', ['--', 'x'], [given('--', 'x')]],
  ])('that %s is passed on', (_case, args, flags) => {
    expect(flagsOf(args)).toEqual(flags);
  });
});

test('a setting that is followed by another has no value', () => {
  expect(flagsOf(['--mode', '--owner', '1000'])[0]).toEqual(given('--mode'));
});

test.each(['run', 'once', 'wait', 'check'] as const)('%s can be loaded', async (name) => {
  expect(await loadCommand(name)).toBeInstanceOf(Function);
});

describe('--help', () => {
  test('shows every command, every setting and every exit code', () => {
    const text = help();
    for (const command of ['run', 'once', 'wait', 'check'])
      expect(text).toMatch(new RegExp(`^  ${command} `, 'm'));
    for (const [, { flag, variable }] of everySample) {
      expect(text).toContain(flag);
      expect(text).toContain(variable);
    }
    for (const exitCode of [0, 1, 2, 3, 4, 5, 6, 7, 8])
      expect(text).toMatch(new RegExp(`\\b${exitCode} \\w`));
    expect(text).toContain('--version');
  });

  test('of a command shows its own settings and no others', () => {
    expect(help('wait')).toContain('--min-validity');
    expect(help('wait')).not.toContain('--tenant-id');
    expect(help('run')).toContain('--http-address');
    expect(help('run')).not.toContain('--expect-uid');
    expect(help('check')).toContain('--tenant-id');
  });

  test.each([undefined, 'wait', 'check'] as const)('of %s ends with one line end', (command) => {
    expect(help(command)).toMatch(/[^\n]\n$/);
  });
});
