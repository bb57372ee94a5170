import { readFile, writeFile } from 'node:fs/promises';
import { describe, test } from 'vitest';
import { ask } from '../observe/clients.ts';
import type { PgpassdHere } from '../support/command-here.ts';
import type { TokenBody } from '../support/fake-entra/answers.ts';
import { aadsts, captivePortal, type Fault, truncatedJson } from '../support/fake-entra/faults.ts';
import { findLeaks } from '../support/leak-check.ts';
import { portOf } from './probing.ts';
import { quotations } from './quotations.ts';
import {
  leavePassfile,
  openWorkload,
  takeAway,
  type Workload,
  type WorkloadOptions,
} from './workload.ts';

const mutated = (change: (body: TokenBody) => unknown): Fault => ({ kind: 'mutate', change });

/** Answers that hold an access token, and of which none comes of use. */
const spoiltAnswers: Readonly<Record<string, Fault>> = {
  'cut in the middle of the token': truncatedJson(),
  'broken off': { kind: 'reset', when: 'mid-body' },
  'that drips until the deadline': { kind: 'drip', intervalMs: 10 },
  'with a line break in the token': mutated((body) => ({
    ...body,
    access_token: `${body.access_token.slice(0, 80)}\n${body.access_token.slice(80)}`,
  })),
  'with the token in every field': mutated(({ access_token: token }) => ({
    access_token: token,
    token_type: token,
    expires_in: token,
    refresh_in: token,
  })),
  'that is a list': mutated((body) => [body]),
  'from a captive portal': captivePortal(),
};

const assertionOf = ({ volume }: Workload): Promise<string> => readFile(volume.tokenPath, 'utf8');

/** The lines for people say the same as the JSON, laid out by something else: some of it is enough. */
const formats = [
  {
    format: 'json',
    // The process itself adds nothing to what the log says: that the lines for people show.
    how: 'startHere',
    limits: ['--timeout', '4s', '--request-timeout', '2s'],
    quoted: Object.entries(quotations),
    spoilt: Object.entries(spoiltAnswers),
  },
  {
    format: 'pretty',
    how: 'start',
    // Time for a request on a busy machine.
    limits: ['--timeout', '8s', '--request-timeout', '4s'],
    quoted: Object.entries(quotations).slice(0, 1),
    spoilt: Object.entries(spoiltAnswers).slice(0, 1),
  },
] as const;

describe.concurrent.for(formats)(
  'nothing printed as $format holds a piece of a token',
  ({ format, how, limits, quoted, spoilt }) => {
    const unhurried = ['once', '--log-format', format];
    const args = [...unhurried, ...limits];

    test('when all goes well', async ({ expect, onTestFinished }) => {
      const { entra, start } = await openWorkload({ onTestFinished });
      const pgpassd = start(unhurried);
      expect(await pgpassd.exited).toEqual({ code: 0, signal: null });
      expect(pgpassd.output()).toContain('obtained a token');
      expect(findLeaks(pgpassd.output(), entra.secrets())).toEqual([]);
    });

    test.for(quoted)('after %s, the assertion', async ([, quote], { expect, onTestFinished }) => {
      const workload = await openWorkload({ onTestFinished });
      workload.entra.faults.always(quote(await assertionOf(workload)));
      const pgpassd = workload[how](args);
      expect((await pgpassd.exited).code).toBeOneOf([4, 5]);
      expect(pgpassd.output()).toContain('next attempt in');
      expect(findLeaks(pgpassd.output(), workload.entra.secrets())).toEqual([]);
    });

    test.for(spoilt)('after an answer %s', async ([, fault], { expect, onTestFinished }) => {
      const { entra, [how]: start } = await openWorkload({ onTestFinished });
      entra.faults.always(fault);
      const pgpassd = start(args);
      expect((await pgpassd.exited).code).toBe(5);
      expect(entra.requests.length).toBeGreaterThan(0);
      expect(findLeaks(pgpassd.output(), entra.secrets())).toEqual([]);
    });
  },
);

interface Course {
  readonly name: string;
  readonly options?: WorkloadOptions;
  /** Everything until the line of the log that shows that the course was run. */
  readonly run: (workload: Workload, start: () => Promise<PgpassdHere>) => Promise<unknown>;
}

const courses: readonly Course[] = [
  {
    name: 'when the same token comes again',
    run: async ({ entra }, start) => {
      entra.faults.always({ kind: 'same-token' });
      const pgpassd = await start();
      await pgpassd.waitFor('token.refreshed');
      pgpassd.signal('SIGHUP');
      await pgpassd.waitFor('passfile.unchanged');
    },
  },
  {
    name: 'when the federated token is not quite one',
    run: async (workload, start) => {
      await workload.volume.write(`"${await assertionOf(workload)}"`);
      await (await start()).waitFor(({ reason }) => reason === 'federated-token.malformed');
    },
  },
  {
    name: 'when the federated token is longer than one',
    run: async (workload, start) => {
      const assertion = await assertionOf(workload);
      await workload.volume.write(`${assertion}.${assertion}`);
      await (await start()).waitFor(({ reason }) => reason === 'federated-token.malformed');
    },
  },
  {
    name: 'when the passfile cannot be written with the token',
    run: async ({ directory }, start) => {
      const pgpassd = await start();
      await pgpassd.waitFor('token.refreshed');
      await takeAway(directory);
      await writeFile(directory, 'a file where the directory was');
      pgpassd.signal('SIGHUP');
      await pgpassd.waitFor(
        ({ event, reason }) => event === 'refresh.failed' && reason === 'passfile.unwritable',
      );
    },
  },
  {
    name: 'when a refusal quotes the token in place, whole and in pieces',
    run: async ({ entra }, start) => {
      const pgpassd = await start();
      await pgpassd.waitFor('token.refreshed');
      const [token = ''] = entra.issued;
      const quoted = `Bad ${token.slice(40, 100)} in ${token.slice(0, 80)}.`;
      entra.faults.next(aadsts(50027, 401, 'invalid_client', quoted));
      pgpassd.signal('SIGHUP');
      await pgpassd.waitFor(({ reason }) => reason === 'entra.refused');
    },
  },
  {
    name: 'when a passfile is taken over and then replaced',
    run: async (_workload, start) => {
      const pgpassd = await start();
      await pgpassd.waitFor('token.refreshed');
    },
  },
  {
    name: 'when the federated token rotates during a failure',
    run: async ({ entra, volume }, start) => {
      entra.faults.next(aadsts(700213, 401, 'invalid_client', 'No match.'));
      const pgpassd = await start();
      await pgpassd.waitFor('refresh.failed');
      await volume.write(await entra.cluster.issueServiceAccountToken());
      await pgpassd.waitFor('refresh.recovered');
    },
  },
];

/** Heads and bodies of what is answered over HTTP right now. */
async function answersOf(pgpassd: PgpassdHere): Promise<string> {
  const port = await portOf(pgpassd);
  const answers: string[] = [];
  for (const path of ['/startupz', '/readyz', '/livez', '/metrics', '/']) {
    for (const method of ['GET', 'HEAD']) {
      const { status, headers, body } = await ask({ port }, { path, method });
      answers.push(`${path}: ${status} ${JSON.stringify(headers)} ${body}`);
    }
  }
  return answers.join('\n');
}

describe.concurrent('nothing that run prints or answers holds a piece of a token', () => {
  test.for(courses)('$name', async ({ run, options }, { expect, onTestFinished }) => {
    const workload = await openWorkload({ onTestFinished, ...options });
    const earlier = await leavePassfile(workload, { agoSeconds: 2000, lifetimeSeconds: 3600 });
    const started: PgpassdHere[] = [];
    await run(workload, async () => {
      const pgpassd = workload.startHere(['run']);
      started.push(pgpassd);
      // What is taken over is in no hurry otherwise.
      await pgpassd.waitFor('passfile.adopted');
      pgpassd.signal('SIGHUP');
      return pgpassd;
    });
    for (const pgpassd of started) {
      const answers = await answersOf(pgpassd);
      expect(answers).toContain('tokenExpiresAt');
      pgpassd.signal('SIGTERM');
      expect(await pgpassd.exited).toEqual({ code: 0, signal: null });
      const secrets = [...workload.entra.secrets(), ...passwordsIn(earlier)];
      expect(findLeaks(pgpassd.output() + answers, secrets)).toEqual([]);
    }
    expect(started).toHaveLength(1);
  });

  test.for(Object.entries(quotations))(
    'after %s, the assertion',
    async ([, quote], { expect, onTestFinished }) => {
      const workload = await openWorkload({ onTestFinished });
      workload.entra.faults.always(quote(await assertionOf(workload)));
      const pgpassd = workload.startHere(['run']);
      await pgpassd.waitFor('refresh.failed');
      const answers = await answersOf(pgpassd);
      expect(answers).toContain('lastError');
      expect(findLeaks(pgpassd.output() + answers, workload.entra.secrets())).toEqual([]);
    },
  );
});

/** A token holds no colon. */
const passwordsIn = (passfile: string): string[] => passfile.match(/[^:\n]+$/gm) ?? [];

describe.concurrent('a bad configuration', () => {
  const password = 'correct-horse-battery-staple';

  test.for([
    ['an entry', { PGPASSD_ENTRIES: `db.example.com:5432:shop:app:${password}` }],
    [
      'one of several entries',
      { PGPASSD_ENTRIES: `a:5432:*:app\nb:x:*:app\nc:5432:*:u:${password}` },
    ],
    ['a connection string', { PGPASSD_ENTRIES: `postgresql://app:${password}@db:5432/shop` }],
    ['the authority host', { AZURE_AUTHORITY_HOST: `https://app:${password}@login.example.com/` }],
  ] as const)(
    'with a password in %s does not print it',
    async ([, env], { expect, onTestFinished }) => {
      const { startHere } = await openWorkload({ onTestFinished });
      const pgpassd = startHere(['once'], { env });
      expect(await pgpassd.exited).toEqual({ code: 2, signal: null });
      expect(pgpassd.errors()).toContain(Object.keys(env)[0]);
      expect(findLeaks(pgpassd.output(), [password])).toEqual([]);
    },
  );
});
