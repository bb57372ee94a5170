import { spawnSync } from 'node:child_process';
import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findLeaks } from '../support/leak-check.ts';
import type { Pgpassd } from '../support/pgpassd-process.ts';
import { lineWith, openClient, tokenLasting, until, untilItTells } from './client.ts';
import { sentencesOf } from './workload.ts';

const isRoot = process.getuid?.() === 0;
const ready = { code: 0, signal: null };
const notReady = { code: 7, signal: null };

const untilItIs = (pgpassd: Pgpassd, argv: readonly string[]) =>
  until(pgpassd, async () => {
    const words = await readFile(`/proc/${pgpassd.pid}/cmdline`, 'utf8');
    return words === argv.map((word) => `${word}\0`).join('');
  });

test('it returns at once, and silently, when the passfile is ready', async () => {
  const { publish, start } = await openClient();
  await publish(lineWith(tokenLasting(3600)));
  const pgpassd = start(['--timeout', '1h']);
  expect(await pgpassd.exited).toEqual(ready);
  expect(pgpassd.output()).toBe('');
});

describe.concurrent('at the deadline it ends with 7 and the reason', () => {
  type Client = Awaited<ReturnType<typeof openClient>>;

  test.for<[string, (client: Client) => Promise<unknown>, RegExp]>([
    ['missing', async () => {}, /pgpass does not exist$/],
    ['a link to nowhere', ({ passfile }) => symlink('nowhere', passfile), /is a link to/],
    ['a directory', ({ passfile }) => mkdir(passfile), /is not a regular file/],
    ['loosened', ({ publish }) => publish(lineWith('x'), 0o640), /has mode 0640/],
    ['empty', ({ publish }) => publish(''), /has no line host:port:database:user:password$/],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the template's own syntax
    ['the template', ({ publish }) => publish(lineWith('${token}')), /the file is the template$/],
    ['without a password', ({ publish }) => publish(lineWith('')), /line 1 .* has no password$/],
    [
      'expired',
      ({ publish }) => publish(lineWith(tokenLasting(-300))),
      /the token in line 1 of .* expired 5 min ago$/,
    ],
    [
      'about to expire',
      ({ publish }) => publish(lineWith(tokenLasting(59))),
      /has only [1-5]\d(\.\d)? s left, but --min-validity requires 60 s$/,
    ],
    [
      'for others only',
      ({ publish }) => publish('other:5432:*:app:x\n'),
      /has no line for server:5432:\*:app$/,
    ],
  ])('of a passfile that is %s', async ([_case, make, reason], { onTestFinished }) => {
    const client = await openClient(onTestFinished);
    await make(client);
    const pgpassd = client.startHere(['--entry', 'server:5432:*:app', '--timeout', '5s']);
    expect(await pgpassd.exited, pgpassd.output()).toEqual(notReady);
    const [waiting, why, remedy, ...more] = sentencesOf(pgpassd.errors());
    expect(waiting).toMatch(/^waiting: /);
    expect(why).toMatch(reason);
    expect(remedy).toMatch(/^[A-Z].*\.$/);
    expect(more).toEqual([]);
    expect(pgpassd.output()).toBe(pgpassd.errors());
  });

  test.skipIf(!isRoot)(
    'of a passfile that somebody else owns (as root)',
    async ({ onTestFinished }) => {
      const { directory, publish, start } = await openClient(onTestFinished);
      await chmod(directory, 0o755);
      await publish(lineWith('x'));
      const pgpassd = start(['--timeout', '5s'], { uid: 65_534 });
      expect(await pgpassd.exited, pgpassd.output()).toEqual(notReady);
      expect(pgpassd.errors()).toContain(
        'cannot be read by uid 65534 (EACCES); it belongs to uid 0',
      );
      expect(pgpassd.errors()).toContain('--owner 65534');
    },
  );
});

test('it tells each reason once on the way, and nothing on standard output', async () => {
  const { publish, startHere } = await openClient();
  const pgpassd = startHere([], { PGHOST: 'server', PGUSER: 'app' });
  await untilItTells(pgpassd, 'does not exist');
  await publish('other:*:*:app:x\n');
  await untilItTells(pgpassd, 'no line for server:*:*:app');
  await publish('another:*:*:app:x\n');
  await publish(lineWith(tokenLasting(3600)), 0o644);
  await untilItTells(pgpassd, 'mode 0644');
  await publish(lineWith(tokenLasting(20)));
  await untilItTells(pgpassd, 'only');
  await publish(lineWith(tokenLasting(3600)));
  expect(await pgpassd.exited).toEqual(ready);
  expect(sentencesOf(pgpassd.errors())).toHaveLength(4);
  expect(pgpassd.output()).toBe(pgpassd.errors());
});

test('it waits for a volume that is mounted later', async () => {
  const { passfile, startHere } = await openClient();
  const later = join(passfile, 'deep', 'pgpass');
  const pgpassd = startHere(['--passfile', later]);
  await untilItTells(pgpassd, 'does not exist');
  await mkdir(join(passfile, 'deep'), { recursive: true });
  await writeFile(later, lineWith('x'), { mode: 0o600 });
  expect(await pgpassd.exited, pgpassd.output()).toEqual(ready);
});

test('without an entry every line counts', async () => {
  const { publish, startHere } = await openClient();
  await publish(`${lineWith('static')}other:5432:*:app:${tokenLasting(-60)}\n`);
  const pgpassd = startHere();
  await untilItTells(pgpassd, 'line 2');
  await publish(`${lineWith('static')}other:5432:*:app:${tokenLasting(600)}\n`);
  expect(await pgpassd.exited, pgpassd.output()).toEqual(ready);
});

test.each([
  ['SIGTERM', 143],
  ['SIGINT', 130],
] as const)('stopped by %s it ends with %i, and no program follows', async (name, code) => {
  const { start } = await openClient();
  const pgpassd = start(['--', 'echo', 'followed']);
  await untilItTells(pgpassd, 'does not exist');
  pgpassd.signal(name);
  expect(await pgpassd.exited).toEqual({ code, signal: null });
  expect(sentencesOf(pgpassd.errors())).toHaveLength(1);
  expect(pgpassd.output()).not.toContain('followed');
});

describe('the program behind --', () => {
  /** What a program started without us prints. */
  const withoutUs = ([program = '', ...args]: readonly string[], env: Record<string, string>) =>
    spawnSync(program, args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).stdout;

  test('follows as soon as the passfile is ready, in the same process', async () => {
    const { publish, start } = await openClient();
    const pgpassd = start(['--', 'sleep', '600']);
    await untilItTells(pgpassd, 'does not exist');
    await publish(lineWith('x'));
    await untilItIs(pgpassd, ['sleep', '600']);
    pgpassd.signal('SIGTERM');
    expect(await pgpassd.exited).toEqual({ code: null, signal: 'SIGTERM' });
  });

  test('has its own arguments and exit code', async () => {
    const { publish, start } = await openClient();
    await publish(lineWith('x'));
    const script = 'console.log(...process.argv.slice(1)); process.exit(5)';
    const pgpassd = start(['--', process.execPath, '-e', script, '--', '--timeout', 'a b', '']);
    expect(await pgpassd.exited, pgpassd.output()).toEqual({ code: 5, signal: null });
    expect(pgpassd.output()).toBe('--timeout a b \n');
  });

  test.each([
    ['signals', ['grep', '-E', '^Sig(Blk|Ign)|^ShdPnd', '/proc/self/status']],
    ['standard streams', ['grep', 'flags', '/proc/self/fdinfo/1', '/proc/self/fdinfo/2']],
    ['open files', ['ls', '/proc/self/fd']],
  ])('finds its %s as if nobody had been before it', async (_what, program) => {
    const { start, publish } = await openClient();
    const pgpassd = start(['--', ...program]);
    await untilItTells(pgpassd, 'does not exist');
    await publish(lineWith('x'));
    expect(await pgpassd.exited, pgpassd.output()).toEqual(ready);
    const printed = pgpassd.output().replace(pgpassd.errors(), '');
    expect(printed).not.toBe('');
    expect(printed).toBe(withoutUs(program, { PATH: process.env['PATH'] ?? '' }));
  });

  test('finds its environment as it was given', async () => {
    const { publish, start } = await openClient();
    await publish(lineWith('x'));
    const env = { PGPASSD_TIMEOUT: '5s', EMPTY: '', WORDS: 'a=b c\nd' };
    const pgpassd = start(['--', process.execPath, '-p', 'JSON.stringify(process.env)'], { env });
    expect(await pgpassd.exited, pgpassd.output()).toEqual(ready);
    expect(JSON.parse(pgpassd.output())).toMatchObject(env);
  });

  test.each<[string, (directory: string) => readonly string[], RegExp]>([
    ['is named nowhere', () => [], /no program follows --/],
    ['is not along PATH', () => ['no-such-program'], /no-such-program was not found/],
    ['is not at its path', (there) => [`${there}/nothing`], /nothing was not found/],
    ['is a directory', (there) => [there], /is not executable/],
    ['may not be executed along PATH', () => ['plain'], /plain is not executable/],
    ['may not be executed', (there) => [`${there}/plain`], /plain is not executable/],
    ['is a text', (there) => [`${there}/text`], /text is neither/],
    ['has no interpreter', (there) => [`${there}/script`], /a script for \/no\/such\/shell/],
  ])('is refused before the wait when it %s', async (_case, program, reason) => {
    const { directory, startHere } = await openClient();
    await writeFile(join(directory, 'plain'), '#!/bin/sh\n');
    await writeFile(join(directory, 'text'), 'echo', { mode: 0o755 });
    await writeFile(join(directory, 'script'), '#! /no/such/shell -e\n', { mode: 0o755 });
    const pgpassd = startHere(['--', ...program(directory)], {
      PATH: `${directory}/nowhere:${directory}:${process.env['PATH']}`,
    });
    expect(await pgpassd.exited).toEqual({ code: 2, signal: null });
    expect(sentencesOf(pgpassd.errors())[0]).toMatch(reason);
  });

  test('is the first along PATH that this user may execute', async () => {
    const { directory, publish, start } = await openClient();
    await publish(lineWith('x'));
    for (const [name, mode] of [
      ['one', 0o644],
      ['two', 0o755],
      ['three', 0o755],
    ] as const) {
      await mkdir(join(directory, name));
      const script = `#!/bin/sh\necho ${name}\n`;
      await writeFile(join(directory, name, 'program'), script, { mode });
    }
    const path = ['nowhere', 'one', 'two', 'three'].map((name) => join(directory, name)).join(':');
    const pgpassd = start(['--', 'program'], { env: { PATH: path } });
    expect(await pgpassd.exited, pgpassd.output()).toEqual(ready);
    expect(pgpassd.output()).toBe('two\n');
  });
});

test('no piece of a token is in anything it prints, whatever becomes of it', async () => {
  const { publish, start } = await openClient();
  const tokens = [tokenLasting(-60), tokenLasting(30), tokenLasting(3600)] as const;
  const pgpassd = start(['--entry', 'server:5432:*:app', '--', 'cat', '/proc/self/cmdline']);
  await untilItTells(pgpassd, 'does not exist');
  await publish(`other:*:*:*:${tokens[2]}\n`);
  await untilItTells(pgpassd, 'no line');
  await publish(lineWith(tokens[0]));
  await untilItTells(pgpassd, 'expired');
  await publish(lineWith(tokens[1]));
  await untilItTells(pgpassd, 'only');
  await publish(lineWith(tokens[2]));
  expect(await pgpassd.exited).toEqual(ready);
  expect(pgpassd.output()).toContain('cmdline');
  expect(findLeaks(pgpassd.output(), tokens)).toEqual([]);
});
