import { describe, expect, test } from 'vitest';
import { help, loadCommand, parseCommandLine } from '../src/cli.ts';
import { loadConfig } from '../src/config/load.ts';
import type { GivenFlags } from '../src/config/option.ts';
import { options } from '../src/config/options.ts';
import { asPgpassdError, PgpassdError } from '../src/support/errors.ts';
import { everySample } from './config/samples.ts';

function flagsOf(args: readonly string[]): GivenFlags {
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
    ['help', undefined],
    ['help --passfile /x', undefined],
    ['help help', undefined],
    ['help version', undefined],
    ['help wait', 'wait'],
    ['help run', 'run'],
    ['--nonsense --help', undefined],
    ['once --mode --help', 'once'],
  ])('of %s asks for help, of a command if it names one', (line, command) => {
    expect(parseCommandLine(line.split(' '))).toEqual({ kind: 'help', command });
  });

  test.each([
    ...['version', '--version', '-v', '-V', 'version --json'],
    ...['once --version', 'check -V', '--mode 0640 -v', 'wait --version -- psql --help'],
  ])('of %s asks for the version', (line) => {
    expect(parseCommandLine(line.split(' '))).toEqual({ kind: 'version' });
  });

  test('of wait keeps what follows two dashes for the program', () => {
    const words = ['wait', '--timeout', '5s', '--', 'psql', '--help', '--', '-c', ''];
    expect(parseCommandLine(words)).toEqual({
      kind: 'command',
      command: 'wait',
      flags: { timeoutMs: ['5s'] },
      rest: ['psql', '--help', '--', '-c', ''],
    });
  });

  test.each(['onec', 'Run', 'start', '', 'toString', 'constructor', '__proto__', 'help once'])(
    'of %j names no command',
    (name) => {
      const { code, message, remedy } = refusal([name]);
      expect(code).toBe('config.invalid');
      expect(message).toMatch(/is not a command(; did you mean \w+\?)?$/);
      expect(remedy).toContain('run, once, wait, check, help, version');
    },
  );

  test.each([['onec'], ['help', 'onec']])('of %s %s names the command that is near', (...args) => {
    expect(refusal(args).message).toBe('onec is not a command; did you mean once?');
  });

  test('of a word that is near to no command names none', () => {
    expect(refusal(['start']).message).toBe('start is not a command');
  });

  test.each([
    ['run -- psql', 'run'],
    ['-- psql -h db', 'run'],
    ['once --mode 0400 -- psql', 'once'],
    ['check --', 'check'],
  ])('of %s says that -- goes with wait', (line, command) => {
    const { code, message, remedy } = refusal(line.split(' '));
    expect(code).toBe('config.invalid');
    expect(message).toBe(`pgpassd ${command} takes no program after --; pgpassd wait does`);
    expect(remedy).toContain('pgpassd wait -- PROGRAM');
  });
});

/** How a command line is refused, with the settings that it gives and no environment. */
function refusal(args: readonly string[]): PgpassdError {
  try {
    const invocation = parseCommandLine(args);
    if (invocation.kind === 'command') loadConfig(invocation.flags, {}, invocation.command);
  } catch (error) {
    expect(error).toBeInstanceOf(PgpassdError);
    return asPgpassdError(error);
  }
  throw new Error(`${args.join(' ')} is not refused`);
}

describe('a mistyped flag', () => {
  test.each([
    ['--tenantid', '--tenant-id'],
    ['--pasfile', '--passfile'],
    ['--entries', '--entry'],
    ['--Timeout', '--timeout'],
    ['--hlep', '--help'],
  ])('is reported alone, with the one that is near: %s, %s', (flag, near) => {
    for (const args of [[flag, 'hunter2'], [`${flag}=hunter2`], [flag, 'hunter2', '--mode', '1']]) {
      const { code, message, remedy } = refusal(args);
      expect(code).toBe('config.invalid');
      expect(message).toBe(`${flag} is not a setting; did you mean ${near}?`);
      expect(remedy).toContain('pgpassd run --help');
    }
  });

  test.each(['run', 'once', 'wait', 'check'])('stops %s', (command) => {
    expect(refusal([command, '--verbose']).message).toBe('--verbose is not a setting');
  });

  test('may be one of another command', () => {
    expect(refusal(['run', '--connect']).message).toBe('--connect is not a setting of pgpassd run');
    expect(flagsOf(['check', '--connect'])).toEqual({ connect: ['true'] });
  });

  test('is reported with the others, and without what could be their values', () => {
    expect(refusal(['once', '--pasfile', '/x', 'y', '-m', '0400']).message.split('\n')).toEqual([
      '--pasfile is not a setting; did you mean --passfile?',
      '-m is not a setting',
    ]);
  });

  test('is reported by how it begins when it is no plain word', () => {
    expect(refusal(['--entry:\u001b[2J:5432']).message).toBe(
      'an argument that begins with - is not a setting; did you mean --entry?',
    );
  });
});

test.each([
  ['db:5432:app:me:s3cret'],
  ['once', 'db:5432:app:me:s3cret'],
  ['wait', 'db:5432:app:me:s3cret'],
  ['help', 'db:5432:app:me:s3cret'],
  ['run', '--', 'psql', 'db:5432:app:me:s3cret'],
  ['--entri', 'db:5432:app:me:s3cret'],
  ['--entry:db:5432:app:me:s3cret'],
  ['-dpostgresql://my-app:s3cret@my-server'],
])('an entry with a password in the wrong place (%s %s) is not repeated', (...args) => {
  const { message, remedy } = refusal(args);
  expect(`${message} ${remedy}`).not.toContain('s3cret');
});

describe('a setting on the command line', () => {
  test.each(everySample.filter(([name]) => options[name].placeholder !== undefined))(
    'has its value after a blank or an equals sign: %s',
    (name, { flag, fromFlag }) => {
      const [text] = fromFlag;
      expect(flagsOf(['check', flag, text])).toEqual({ [name]: [text] });
      expect(flagsOf(['check', `${flag}=${text}`])).toEqual({ [name]: [text] });
    },
  );

  test.each<[string, string[], GivenFlags]>([
    ['is a switch', ['--allow-wildcard-host'], { allowWildcardHost: ['true'] }],
    [
      'is a switch that is spelt out',
      ['--allow-wildcard-host=false'],
      { allowWildcardHost: ['false'] },
    ],
    ['is given twice', ['--entry', 'a:::u', '--entry=b:::u'], { entry: ['a:::u', 'b:::u'] }],
    ['has an empty value', ['--mode='], { mode: [''] }],
    ['has an equals sign in its value', ['--scope=a=b'], { scope: ['a=b'] }],
    ['has a dash before its value', ['--owner', '-1'], { owner: ['-1'] }],
    ['has dashes before its value', ['--scope=--x'], { scope: ['--x'] }],
    ['has a short flag as its value', ['--passfile', '-h'], { passfile: ['-h'] }],
  ])('that %s is passed on', (_case, args, flags) => {
    expect(flagsOf(args)).toEqual(flags);
  });

  test.each(everySample.filter(([name]) => options[name].placeholder !== undefined))(
    'needs something after its flag: %s',
    (_name, { flag }) => {
      expect(refusal(['check', flag]).message).toMatch(new RegExp(`^${flag} needs a value`));
    },
  );

  test('that is followed by another has no value', () => {
    expect(refusal(['--mode', '--owner', '1000']).message).toBe('--mode needs a value: OCTAL');
  });

  test.each([
    ['a word', ['run', 'x'], 'x belongs to no setting'],
    ['a word among others', ['--mode', '0400', 'x'], 'x belongs to no setting'],
    ['a word after a switch', ['--allow-wildcard-host', 'x'], 'x belongs to no setting'],
    [
      'a program without --',
      ['wait', 'psql'],
      'psql belongs to no setting; put -- before a program',
    ],
    [
      'a second command',
      ['--mode', '0400', 'once'],
      'once is not the first argument, where a command belongs',
    ],
  ])('is not %s', (_case, args, message) => {
    expect(refusal(args).message).toBe(message);
  });
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
      expect(text).toMatch(new RegExp(`^  ${exitCode} +\\w`, 'm'));
    for (const verb of ['help', 'version']) expect(text).toMatch(new RegExp(`^  ${verb} `, 'm'));
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
