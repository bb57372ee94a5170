import { describe, expect, test } from 'vitest';
import type { Environment, GivenFlag } from '../../src/config/given.ts';
import { type OptionName, options } from '../../src/config/options.ts';
import { nearest, readSettings } from '../../src/config/read-settings.ts';
import { everySample, samples } from './samples.ts';

/** What every other setting needs, so that a table sees the problems of one alone. */
const enough: Environment = {
  PGPASSFILE: '/pgpass',
  AZURE_TENANT_ID: 'tenant.example',
  AZURE_CLIENT_ID: 'client',
  AZURE_FEDERATED_TOKEN_FILE: '/token',
};

/** The value of one setting when nothing else is wrong. */
function settingOf(name: OptionName, flags: readonly GivenFlag[], env: Environment): unknown {
  const { values, problems } = readSettings(flags, { ...enough, ...env }, 'check');
  expect(problems.texts).toEqual([]);
  return values[name];
}

const problemsOf = (flags: readonly GivenFlag[], env: Environment = {}) =>
  readSettings(flags, { ...enough, ...env }, 'check').problems.texts;

test('every setting has sample values', () => {
  expect(Object.keys(samples).toSorted()).toEqual(Object.keys(options).toSorted());
});

describe.each(everySample)('%s', (name, { flag, variable, also, ...sample }) => {
  const { fromFlag, fromVariable, fromAlso } = sample;
  const alsoSet = also && fromAlso ? { [also]: fromAlso[0] } : {};

  test('is read from the flag before anything else', () => {
    const env = { [variable]: fromVariable[0], ...alsoSet };
    expect(settingOf(name, [{ flag, value: fromFlag[0] }], env)).toEqual(fromFlag[1]);
  });

  test('is read from our variable without the flag', () => {
    const env = { [variable]: fromVariable[0], ...alsoSet };
    expect(settingOf(name, [], env)).toEqual(fromVariable[1]);
  });

  test('is what it is by default, and an empty variable says nothing', () => {
    for (const text of ['', undefined]) {
      const env = { ...enough, [variable]: text, ...(also && { [also]: text }) };
      const { values, problems: found } = readSettings([], env, 'check');
      const problems = found.texts;
      if (sample.otherwise === 'required') {
        expect(problems).toEqual([expect.stringMatching(new RegExp(`^${flag} .*is not set`))]);
        for (const each of [variable, also]) expect(problems[0]).toContain(each);
      } else {
        expect(problems).toEqual([]);
        expect(values[name]).toEqual(sample.otherwise.value);
      }
    }
  });

  test('is not taken from an empty flag, which is told', () => {
    const [problem, ...others] = problemsOf([{ flag, value: '' }]);
    expect(problem).toMatch(new RegExp(`^${flag}:? `));
    expect(problem).not.toContain('undefined');
    expect(others).toEqual([]);
  });
});

describe('a setting', () => {
  test.each(everySample.filter(([, { also }]) => also !== undefined))(
    "is read from the ecosystem's variable without ours: %s",
    (name, sample) => {
      const { variable, also = '', fromAlso = ['', undefined] } = sample;
      expect(settingOf(name, [], { [also]: fromAlso[0] })).toEqual(fromAlso[1]);
      expect(settingOf(name, [], { [also]: fromAlso[0], [variable]: '' })).toEqual(fromAlso[1]);
    },
  );

  test.each(everySample.filter(([, { nonsense }]) => nonsense !== undefined))(
    'refuses nonsense, and says where it stands: %s',
    (_name, sample) => {
      const { flag, variable, nonsense = '' } = sample;
      const byFlag = problemsOf([{ flag, value: nonsense }]);
      expect(byFlag).toEqual([expect.stringMatching(new RegExp(`^${flag}: `))]);
      const byVariable = problemsOf([], { [variable]: nonsense });
      expect(byVariable).toEqual([expect.stringMatching(new RegExp(`^${variable}: `))]);
    },
  );

  test.each(everySample.filter(([name]) => options[name].placeholder !== undefined))(
    'needs something after its flag: %s',
    (_name, { flag }) => {
      expect(problemsOf([{ flag, value: undefined }])).toEqual([
        expect.stringMatching(new RegExp(`^${flag} needs a value`)),
      ]);
    },
  );

  test.each(everySample.filter(([name]) => options[name].repeatable === undefined))(
    'given twice is what the last flag says: %s',
    (name, { flag, fromFlag, fromVariable }) => {
      const flags = [fromVariable[0], fromFlag[0]].map((value) => ({ flag, value }));
      expect(settingOf(name, flags, {})).toEqual(fromFlag[1]);
    },
  );

  test('that is repeatable is all that its flags say, in order', () => {
    const flags = ['b', 'a'].map((host) => ({ flag: '--entry', value: `${host}:::my-app` }));
    const env = { PGPASSD_ENTRIES: 'c:::my-app' };
    expect(settingOf('entry', flags, env)).toMatchObject([{ host: 'b' }, { host: 'a' }]);
  });
});

test('a switch is on by its name alone', () => {
  const flags = [{ flag: '--allow-wildcard-host', value: undefined }];
  expect(settingOf('allowWildcardHost', flags, {})).toBe(true);
});

describe('what is no setting', () => {
  test.each([
    ['--tenantid', '--tenant-id'],
    ['--pasfile', '--passfile'],
    ['--entries', '--entry'],
    ['--Timeout', '--timeout'],
  ])('is told with the nearest: %s, %s', (flag, nearestFlag) => {
    const problems = problemsOf([{ flag, value: 'hunter2' }]);
    expect(problems).toEqual([`${flag} is not a setting; did you mean ${nearestFlag}?`]);
  });

  test.each([
    ['PGPASSD_TENANTID', 'PGPASSD_TENANT_ID'],
    ['PGPASSD_ENTRY', 'PGPASSD_ENTRIES'],
    ['PGPASSD_LOGLEVEL', 'PGPASSD_LOG_LEVEL'],
  ])('is told with the nearest variable: %s, %s', (variable, nearestVariable) => {
    const problems = problemsOf([], { [variable]: 'hunter2' });
    expect(problems).toEqual([`${variable} is not a setting; did you mean ${nearestVariable}?`]);
  });

  test('is told though it is empty: a misspelt variable is misspelt', () => {
    expect(problemsOf([], { PGPASSD_TENANTID: '' })).toHaveLength(1);
  });

  test.each([
    'PGPASSD_SERVICE_HOST',
    'PGPASSD_SERVICE_PORT',
    'PGPASSD_SERVICE_PORT_HTTP',
    'PGPASSD_SERVICE_PORT_HTTP_METRICS',
    'PGPASSD_PORT',
    'PGPASSD_PORT_8432_TCP',
    'PGPASSD_PORT_8432_TCP_ADDR',
    'PGPASSD_PORT_8432_TCP_PORT',
    'PGPASSD_PORT_8432_TCP_PROTO',
    'PGPASSD_PORT_53_UDP_ADDR',
    'PGPASSD_PORT_9999_SCTP',
    'PGPASSD_METRICS_SERVICE_HOST',
    'PGPASSD_METRICS_PORT_8432_TCP',
  ])(
    'is none of our business when Kubernetes links a Service pgpassd, or pgpassd-metrics: %s',
    (variable) => {
      expect(problemsOf([], { [variable]: 'tcp://10.0.0.1:8432' })).toEqual([]);
    },
  );

  test('may be any variable of somebody else', () => {
    expect(
      problemsOf([], { PATH: '/bin', PGPASS: 'x', PGPASSDX_MODE: 'x', pgpassd_x: 'y' }),
    ).toEqual([]);
  });

  test('may be a word that no setting takes', () => {
    expect(problemsOf([{ flag: 'word', value: undefined }])).toEqual([
      'word: no setting takes this argument',
    ]);
  });

  test('is told by how it begins when it is no plain word', () => {
    const flag = '--entry:\u001b[2J:5432';
    expect(problemsOf([{ flag, value: undefined }], { 'PGPASSD_MODE\n': '' })).toEqual([
      'an argument that begins with - is not a setting; did you mean --entry?',
      'a variable that begins with PGPASSD_ is not a setting; did you mean PGPASSD_MODE?',
    ]);
  });

  test.each([
    ['onc', 'once'],
    ['rnu', 'run'],
    ['', 'run'],
  ])('has a nearest word: %s, %s', (word, expected) => {
    expect(nearest(word, ['run', 'once'])).toBe(expected);
  });
});

describe('a password in an entry', () => {
  const spec = 'my-server:5432:appdb:my-app:hunter2';

  test.each<[string, readonly GivenFlag[], Environment]>([
    ['a flag', [{ flag: '--entry', value: spec }], {}],
    ['the variable', [], { PGPASSD_ENTRIES: `reader:::my-app\n${spec}` }],
    ['a misspelt flag', [{ flag: '--entri', value: spec }], {}],
    ['a misspelt variable', [], { PGPASSD_ENTRIE: spec }],
    ['one word with a flag', [{ flag: `--entry:${spec}`, value: undefined }], {}],
    ["psql's flag", [{ flag: '-dpostgresql://my-app:hunter2@my-server', value: undefined }], {}],
    ["a variable's name", [], { [`PGPASSD_ENTRY:${spec}`]: '' }],
  ])('is a problem that does not repeat it, in %s', (_case, flags, env) => {
    const problems = problemsOf(flags, env);
    expect(problems).toHaveLength(1);
    expect(problems.join()).not.toContain('hunter2');
  });

  test('is told with the number of the entry', () => {
    expect(problemsOf([], { PGPASSD_ENTRIES: `reader:::my-app\n${spec}` })).toEqual([
      expect.stringMatching(/^PGPASSD_ENTRIES: value 2: .*without a password/),
    ]);
  });
});

describe('a reference that Kubernetes left as it was', () => {
  test('is told with what to define', () => {
    expect(problemsOf([], { PGPASSD_ENTRIES: '$(PGHOST):5432:*:my-app' })).toEqual([
      expect.stringMatching(/^PGPASSD_ENTRIES: \$\(PGHOST\) was not replaced: .* define it in env/),
    ]);
  });

  test('is told of a flag', () => {
    const problems = problemsOf([{ flag: '--client-id', value: 'x$(CLIENT.ID)' }]);
    expect(problems).toEqual([expect.stringMatching(/^--client-id: \$\(CLIENT\.ID\) /)]);
  });

  test("is a shell's business in a token command", () => {
    expect(problemsOf([], { PGPASSD_TOKEN_COMMAND: "sh -c 'echo $(date)'" })).toEqual([]);
  });

  test.each(['$PGHOST', '$(1)', '$()', '(PGHOST)'])('is not seen in %s', (host) => {
    expect(problemsOf([], { PGPASSD_SCOPE: host })).toEqual([]);
  });
});

describe('a command', () => {
  test('takes its own settings only', () => {
    const flags = [{ flag: '--connect', value: undefined }];
    expect(readSettings(flags, enough, 'run').problems.texts).toEqual([
      '--connect is not a setting of pgpassd run',
    ]);
    expect(readSettings(flags, enough, 'check').problems.texts).toEqual([]);
  });

  test('leaves the variables of the others alone', () => {
    const env = { PGPASSFILE: '/pgpass', PGPASSD_MODE: 'nonsense', PGPASSD_CONNECT: 'true' };
    expect(readSettings([], env, 'wait').problems.texts).toEqual([]);
  });
});

test('every problem is told at once', () => {
  const { texts: problems, missing } = readSettings(
    [
      { flag: '--mode', value: '0644' },
      { flag: '--timeout', value: 'soon' },
      { flag: '--wait', value: undefined },
    ],
    { PGPASSD_LOG_LEVEL: 'loud', PGPASSD_X: '1' },
    'run',
  ).problems;
  for (const named of [
    ...['--mode', '--timeout', '--wait', 'PGPASSD_LOG_LEVEL', 'PGPASSD_X'],
    ...['--passfile', '--tenant-id', '--client-id', '--federated-token-file'],
  ]) {
    expect(problems.filter((problem) => problem.startsWith(named))).toHaveLength(1);
  }
  expect(problems).toHaveLength(9);
  expect(missing).toHaveLength(4);
});
