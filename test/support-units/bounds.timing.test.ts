import { describe, expect, test } from 'vitest';
import { readConfig } from '../../src/config/load.ts';
import { secretsIn } from '../../src/config/secrets.ts';
import { interpretAnswer } from '../../src/entra/answer.ts';
import { parseFederatedToken } from '../../src/federated-token/federated-token.ts';
import { PLACEHOLDER } from '../../src/passfile/format.ts';
import { adoptToken, entriesLayout, templateLayout } from '../../src/passfile/layout.ts';
import { sanitize } from '../../src/support/text.ts';
import { interpretOutput } from '../../src/token-command/output.ts';
import { splitCommandLine } from '../../src/token-command/split.ts';
import { context } from '../entra/answer-parts.ts';
import { leastMs } from './own-time.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

const filled = (text: string, length: number): string =>
  text.repeat(Math.ceil(length / text.length)).slice(0, length);

/** Most of it is refused, and that is not the point. */
function attempt(work: () => unknown): void {
  try {
    work();
  } catch {}
}

const LONGEST_STEP_MS = 150;

const stepMs = (work: () => unknown, limitMs = LONGEST_STEP_MS): Promise<number> =>
  leastMs(() => attempt(work), limitMs);

const members = (length: number): string => {
  const all: string[] = [];
  for (let size = 0; size < length; size += all.at(-1)?.length ?? 0)
    all.push(`"k${all.length}":0,`);
  return all.join('');
};

const jsonTexts = {
  'many members': `{${members(MIB - 20)}"x":0}`,
  'many members in a status': `{"status":{${members(MIB - 40)}"x":0}}`,
  'deep lists': filled('[', MIB),
  'deep objects': filled('{"a":', MIB),
  'a long list': `{"a":[${filled('1,', MIB - 20)}1]}`,
  'a long number': `{"expires_in":${filled('9', MIB - 20)}}`,
  blanks: filled(' ', MIB),
  escapes: `{"access_token":"${filled('\\u0041', 6 * Math.floor((MIB - 30) / 6))}"}`,
};

const pieces = [
  'eyJ',
  'a',
  ':',
  '\\',
  '\n',
  '\r\n',
  "'",
  '"',
  '\u001b[1;',
  'password=',
  '://u:p@',
  PLACEHOLDER,
];

const parse = { askedAt: context.askedAt, fallbackLifetimeMs: undefined };

const entry = { host: 'h', port: '1', database: 'd', user: 'u' };

/** Bounds are those of the readers: nothing longer gets this far. */
const courses: readonly [what: string, work: () => unknown][] = [
  ...Object.entries(jsonTexts).flatMap(([name, text]): [string, () => unknown][] => [
    [`${name}, printed by a token command`, () => interpretOutput(text, parse)],
    [`${name}, in a federated token`, () => parseFederatedToken(text.slice(0, 64 * KIB), '/token')],
  ]),
  ...pieces.flatMap((piece): [string, () => unknown][] => {
    const setting = filled(piece, 128 * KIB);
    const template = Buffer.from(filled(piece, MIB));
    const passfile = Buffer.from(filled(piece, 4 * MIB));
    const layout = entriesLayout([entry]);
    const name = JSON.stringify(piece);
    return [
      [`${name} as a template`, () => templateLayout(template)],
      [`${name} as a passfile in place`, () => adoptToken(passfile, 0, layout, () => true)],
      [`${name} as a command line`, () => splitCommandLine(setting)],
      [`${name} as an entry`, () => readConfig({}, { PGPASSD_ENTRIES: setting }, 'check')],
      [`${name} as a path`, () => readConfig({}, { PGPASSFILE: setting }, 'check')],
      [`${name} in an environment`, () => secretsIn([setting], { PGUSER: setting })],
      [`${name} in a sentence`, () => sanitize(setting)],
    ];
  }),
  ['65,000 hosts', () => readConfig({}, { PGHOST: filled('h,', 128 * KIB), PGUSER: 'u' }, 'check')],
  [
    '65,000 hosts and a long user',
    () =>
      readConfig({}, { PGHOST: filled('h,', 128 * KIB), PGUSER: filled('u', 128 * KIB) }, 'check'),
  ],
];

/** Node parses all of it at once, which is most of what an answer of this size costs. */
const MOST_OF_PARSING = 2;

describe('an answer of 1 MiB costs no more than twice its parsing, whatever its status', () => {
  test.each(Object.entries(jsonTexts))('%s', async (_name, body) => {
    // All of its runs, lest a slow one allow the answer too much.
    const parsingMs = await stepMs(() => JSON.parse(body), 0);
    const limitMs = MOST_OF_PARSING * parsingMs + 10;
    for (const status of [200, 400]) {
      const interpret = () => interpretAnswer({ status, headers: {}, body }, context);
      expect(await stepMs(interpret, limitMs), `${status}`).toBeLessThan(limitMs);
    }
  });
});

describe('no step takes more than 0.15 s, whatever comes within its bounds', () => {
  test.each(courses)('%s', async (_what, work) => {
    expect(await stepMs(work)).toBeLessThan(LONGEST_STEP_MS);
  });

  test('50,000 variables that are no settings', async () => {
    const env = Object.fromEntries(
      Array.from({ length: 50_000 }, (_, at) => [`PGPASSD_X${at}`, '']),
    );
    // Node.js takes longer to report them.
    const limitMs = 3 * LONGEST_STEP_MS;
    expect(await stepMs(() => readConfig({}, env, 'check'), limitMs)).toBeLessThan(limitMs);
  });

  test('a passfile whose first line is 4 MiB of password, for many entries', async () => {
    const content = Buffer.from(`h:1:d:u:${filled('x', 4 * MIB - 8)}`);
    const layout = entriesLayout(Array.from({ length: 1_000 }, () => entry));
    expect(await stepMs(() => layout.passwordIn(content))).toBeLessThan(LONGEST_STEP_MS);
  });
});
