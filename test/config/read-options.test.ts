import { describe, expect, test } from 'vitest';
import type { CommandName, Environment, GivenFlags } from '../../src/config/option.ts';
import { type OptionName, options } from '../../src/config/options.ts';
import { readOptions } from '../../src/config/read-options.ts';
import { everySample, samples } from './samples.ts';

/** What every other setting needs, so that a table sees the problems of one alone. */
const enough: Environment = {
  PGPASSFILE: '/pgpass',
  AZURE_TENANT_ID: 'tenant.example',
  AZURE_CLIENT_ID: 'client',
  AZURE_FEDERATED_TOKEN_FILE: '/token',
};

function read(flags: GivenFlags, env: Environment, command: CommandName = 'check') {
  const { values, problems } = readOptions(options, flags, env, command);
  return { values, problems, texts: problems.map(({ text }) => text) };
}

/** The value of one setting when nothing else is wrong. */
function settingOf(name: OptionName, flags: GivenFlags, env: Environment): unknown {
  const { values, problems } = read(flags, { ...enough, ...env });
  expect(problems).toEqual([]);
  return values[name];
}

const problemsOf = (flags: GivenFlags, env: Environment = {}) =>
  read(flags, { ...enough, ...env }).texts;

test('every setting has sample values', () => {
  expect(Object.keys(samples).toSorted()).toEqual(Object.keys(options).toSorted());
});

describe.each(everySample)('%s', (name, { flag, variable, also, ...sample }) => {
  const { fromFlag, fromVariable, fromAlso } = sample;
  const alsoSet = also && fromAlso ? { [also]: fromAlso[0] } : {};

  test('is read from the flag before anything else', () => {
    const env = { [variable]: fromVariable[0], ...alsoSet };
    expect(settingOf(name, { [name]: [fromFlag[0]] }, env)).toEqual(fromFlag[1]);
  });

  test('is read from our variable without the flag', () => {
    const env = { [variable]: fromVariable[0], ...alsoSet };
    expect(settingOf(name, {}, env)).toEqual(fromVariable[1]);
  });

  test('is what it is by default, and an empty variable says nothing', () => {
    for (const text of ['', undefined]) {
      const env = { ...enough, [variable]: text, ...(also && { [also]: text }) };
      const { values, texts: problems } = read({}, env);
      if (sample.otherwise === 'required') {
        expect(problems).toEqual([expect.stringMatching(new RegExp(`^${flag} .*is not set`))]);
        for (const each of [variable, also]) expect(problems[0]).toContain(each);
      } else {
        expect(problems).toEqual([]);
        expect(values[name]).toEqual(sample.otherwise.value);
      }
    }
  });

  test('is not taken from an empty flag, which is reported', () => {
    const [problem, ...others] = problemsOf({ [name]: [''] });
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
      expect(settingOf(name, {}, { [also]: fromAlso[0] })).toEqual(fromAlso[1]);
      expect(settingOf(name, {}, { [also]: fromAlso[0], [variable]: '' })).toEqual(fromAlso[1]);
    },
  );

  test.each(everySample.filter(([, { nonsense }]) => nonsense !== undefined))(
    'refuses nonsense, and names the flag or variable: %s',
    (name, sample) => {
      const { flag, variable, nonsense = '' } = sample;
      const byFlag = problemsOf({ [name]: [nonsense] });
      expect(byFlag).toEqual([expect.stringMatching(new RegExp(`^${flag}: `))]);
      const byVariable = problemsOf({}, { [variable]: nonsense });
      expect(byVariable).toEqual([expect.stringMatching(new RegExp(`^${variable}: `))]);
    },
  );

  test.each(everySample.filter(([name]) => options[name].repeatable === undefined))(
    'given twice is what the last flag says: %s',
    (name, { fromFlag, fromVariable }) => {
      const flags = { [name]: [fromVariable[0], fromFlag[0]] };
      expect(settingOf(name, flags, {})).toEqual(fromFlag[1]);
    },
  );

  test('that is repeatable is all that its flags say, in order', () => {
    const flags = { entry: ['b', 'a'].map((host) => `${host}:::my-app`) };
    const env = { PGPASSD_ENTRIES: 'c:::my-app' };
    expect(settingOf('entry', flags, env)).toMatchObject([{ host: 'b' }, { host: 'a' }]);
  });
});

describe('a variable that is no setting', () => {
  test.each([
    ['PGPASSD_TENANTID', 'PGPASSD_TENANT_ID'],
    ['PGPASSD_ENTRY', 'PGPASSD_ENTRIES'],
    ['PGPASSD_LOGLEVEL', 'PGPASSD_LOG_LEVEL'],
  ])('is reported with the one that is near: %s, %s', (variable, nearestVariable) => {
    const problems = problemsOf({}, { [variable]: 'hunter2' });
    expect(problems).toEqual([`${variable} is not a setting; did you mean ${nearestVariable}?`]);
  });

  test('is reported alone when none is near', () => {
    expect(problemsOf({}, { PGPASSD_X: '1' })).toEqual(['PGPASSD_X is not a setting']);
  });

  test('is reported although it is empty: a misspelt variable is misspelt', () => {
    expect(problemsOf({}, { PGPASSD_TENANTID: '' })).toHaveLength(1);
  });

  test('is reported by how it begins when it is no plain word', () => {
    expect(problemsOf({}, { 'PGPASSD_MODE\n': '' })).toEqual([
      'a variable that begins with PGPASSD_ is not a setting; did you mean PGPASSD_MODE?',
    ]);
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
    'is no problem when Kubernetes links a Service pgpassd, or pgpassd-metrics: %s',
    (variable) => {
      expect(problemsOf({}, { [variable]: 'tcp://10.0.0.1:8432' })).toEqual([]);
    },
  );

  test('may be any variable of another program', () => {
    expect(
      problemsOf({}, { PATH: '/bin', PGPASS: 'x', PGPASSDX_MODE: 'x', pgpassd_x: 'y' }),
    ).toEqual([]);
  });
});

describe('a password in an entry', () => {
  const spec = 'my-server:5432:appdb:my-app:hunter2';

  test.each<[string, GivenFlags, Environment]>([
    ['a flag', { entry: [spec] }, {}],
    ['the variable', {}, { PGPASSD_ENTRIES: `reader:::my-app\n${spec}` }],
    ['a misspelt variable', {}, { PGPASSD_ENTRIE: spec }],
    ["a variable's name", {}, { [`PGPASSD_ENTRY:${spec}`]: '' }],
  ])('is a problem that does not repeat it, in %s', (_case, flags, env) => {
    const problems = problemsOf(flags, env);
    expect(problems).toHaveLength(1);
    expect(problems.join()).not.toContain('hunter2');
  });

  test('is reported with the number of the entry', () => {
    expect(problemsOf({}, { PGPASSD_ENTRIES: `reader:::my-app\n${spec}` })).toEqual([
      expect.stringMatching(/^PGPASSD_ENTRIES: value 2: .*without a password/),
    ]);
  });
});

describe('what should have been replaced by a value', () => {
  test.each([
    [
      'a variable of a shell',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: what a shell would replace
      '${DB_HOST}:5432:*:my-app',
      /\$\{DB_HOST\} was not replaced: .*\$\(NAME\)/,
    ],
    [
      'a template of Helm',
      '{{ .Values.host }}:5432:*:my-app',
      /\{\{ \.Values\.host was not replaced: .*Helm/,
    ],
    ['an unset value of Helm', '<nil>:5432:*:my-app', /<nil> was not replaced: .*set that value/],
    ['another', '<no value>:5432:*:my-app', /<no value> was not replaced/],
    [
      "what Azure's portal leaves",
      'host=db user=my-app dbname={your_database}',
      /\{your_database\} was not/,
    ],
    ['the quotes of an env file', '"db:5432:*:my-app"', /remove the quotes/],
  ])('is reported: %s', (_case, text, problem) => {
    expect(problemsOf({}, { PGPASSD_ENTRIES: text })).toEqual([expect.stringMatching(problem)]);
  });
});

describe('a reference that Kubernetes left as it was', () => {
  test('is reported with what to define', () => {
    expect(problemsOf({}, { PGPASSD_ENTRIES: '$(PGHOST):5432:*:my-app' })).toEqual([
      expect.stringMatching(/^PGPASSD_ENTRIES: \$\(PGHOST\) was not replaced: .* define it in env/),
    ]);
  });

  test('is reported in a flag', () => {
    const problems = problemsOf({ clientId: ['x$(CLIENT.ID)'] });
    expect(problems).toEqual([expect.stringMatching(/^--client-id: \$\(CLIENT\.ID\) /)]);
  });

  test("is a shell's business in a token command", () => {
    expect(problemsOf({}, { PGPASSD_TOKEN_COMMAND: "sh -c 'echo $(date)'" })).toEqual([]);
  });

  test.each(['$PGHOST', '$(1)', '$()', '(PGHOST)'])('is not seen in %s', (host) => {
    expect(problemsOf({}, { PGPASSD_SCOPE: host })).toEqual([]);
  });
});

describe('a command', () => {
  test('leaves the variables of the others alone', () => {
    const env = { PGPASSFILE: '/pgpass', PGPASSD_MODE: 'nonsense', PGPASSD_CONNECT: 'true' };
    expect(read({}, env, 'wait').problems).toEqual([]);
  });
});

test('every problem is reported at once, with its kind and the setting that it is about', () => {
  const { problems } = read(
    { mode: ['0644'], timeoutMs: ['soon'] },
    { PGPASSD_LOG_LEVEL: 'loud', PGPASSD_X: '1' },
    'run',
  );
  const described = problems.map(({ kind, option, given, text }) => {
    expect(text.startsWith(given ?? '')).toBe(true);
    return [kind, option, given];
  });
  expect(described).toEqual([
    ['unknown', undefined, undefined],
    ['missing', 'passfile', undefined],
    ['missing', 'tenantId', undefined],
    ['missing', 'clientId', undefined],
    ['missing', 'federatedTokenFile', undefined],
    ['invalid', 'mode', '--mode'],
    ['invalid', 'timeoutMs', '--timeout'],
    ['invalid', 'logLevel', 'PGPASSD_LOG_LEVEL'],
  ]);
});
