import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { Secret } from '../../src/support/secret.ts';
import { type CommandRun, runTokenCommand } from '../../src/token-command/run.ts';
import { manualClock } from '../support-units/manual-clock.ts';
import { unsignedJwt } from '../support-units/unsigned-jwt.ts';
import { failureOf } from './failure-of.ts';
import { openRollCall, type RollCall } from './roll-call.ts';
import { opaqueToken as token } from './tokens.ts';

const newClock = () => manualClock({ wallMs: 0, monotonicMs: 0 });

function run(argv: CommandRun['argv'], changes: Partial<CommandRun> = {}): Promise<string> {
  const { signal } = new AbortController();
  return runTokenCommand({ argv, deadlineMs: 10_000, clock: newClock(), signal, ...changes });
}

const sh = (script: string, changes?: Partial<CommandRun>) => run(['sh', '-c', script], changes);

const node = (script: string): CommandRun['argv'] => [process.execPath, '-e', script];

/** A script that runs another beside itself, with the same pipes. */
function starts(script: string, options: { readonly detached?: boolean } = {}): string {
  const spawnArguments = JSON.stringify([['-e', script], { stdio: 'inherit', ...options }]);
  return `require('node:child_process').spawn(process.execPath, ...${spawnArguments}).unref();`;
}

const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('a command that succeeds', () => {
  test('gives what it printed, byte for byte', async () => {
    expect(await sh(`printf ' %s\\n' 'a b'`)).toBe(' a b\n');
    expect(await run(['printf', '%s', '$HOME | * "'])).toBe('$HOME | * "');
  });

  test('may print 1 MiB', async () => {
    const printed = await run(node(`process.stdout.write('x'.repeat(1024 * 1024))`));
    expect(printed).toHaveLength(1024 * 1024);
  });

  test('finds nothing on its standard input', async () => {
    expect(await sh('cat; echo done')).toBe('done\n');
  });

  test('has our environment, or the one it is given', async () => {
    vi.stubEnv('PGPASSD_TEST_GREETING', 'hello');
    onTestFinished(() => void vi.unstubAllEnvs());
    const script = 'echo "$PGPASSD_TEST_GREETING"';
    expect(await sh(script)).toBe('hello\n');
    expect(await sh(script, { env: { PATH: process.env['PATH'] } })).toBe('\n');
  });

  test('has its stderr passed on, without the token and without any JWT', async () => {
    const heard: string[] = [];
    const jwt = unsignedJwt({ sub: 'another app' });
    const script = `echo warming up >&2; echo "+ got ${token}" >&2; echo "not ${jwt}" >&2; echo ${token}`;
    await sh(script, { onStderr: (line) => heard.push(line) });
    expect(heard).toEqual(['warming up', '+ got [redacted]', 'not [redacted]']);
  });

  test('may print any amount on stderr, of which the beginning is passed on', async () => {
    const heard: string[] = [];
    const script = `process.stderr.write('noise\\n'.repeat(1e6), () => console.log('token'))`;
    expect(await run(node(script), { onStderr: (line) => heard.push(line) })).toBe('token\n');
    expect(heard.slice(0, -1).every((line) => line === 'noise')).toBe(true);
    expect(heard.join('\n').length).toBeLessThanOrEqual(8 * 1024);
  });

  test('leaves no timer behind', async () => {
    const clock = newClock();
    await sh('echo token', { clock });
    expect(clock.sleptMs).toEqual([10_000]);
    clock.elapse();
  });
});

describe('a command that fails', () => {
  test('is reported with its exit code and the first line of its stderr', async () => {
    const script = `echo ${token}; echo >&2; echo "no role for ${token}" >&2; echo more >&2; exit 254`;
    const heard: string[] = [];
    const error = await failureOf(
      () => sh(script, { onStderr: (line) => heard.push(line) }),
      [token],
    );
    expect(error.code).toBe('token-command.failed');
    expect(error.message).toBe('the token command sh exited with code 254: no role for [redacted]');
    expect(error.remedy).toContain('--token-command');
    expect(heard).toEqual([]);
  });

  test('is reported without what an earlier run printed', async () => {
    const secrets = [new Secret(token)];
    const error = await failureOf(
      () => sh(`echo ${token} is old >&2; exit 1`, { secrets }),
      [token],
    );
    expect(error.message).toBe('the token command sh exited with code 1: [redacted] is old');
  });

  test('is reported without any stderr, too', async () => {
    const error = await failureOf(() => sh('exit 3'));
    expect(error.message).toBe('the token command sh exited with code 3');
  });

  test('is reported with the signal that killed it', async () => {
    const error = await failureOf(() => sh('echo oh >&2; kill -TERM $$'));
    expect(error.message).toBe('the token command sh was killed by SIGTERM: oh');
  });

  test('is not found', async () => {
    // A path of its own: on PATH there may be directories closed to this user, which is another error.
    const error = await failureOf(() => run(['/no-such-program', token]), [token]);
    expect(error.code).toBe('token-command.failed');
    expect(error.message).toBe('the token command /no-such-program was not found');
    expect(error.remedy).toContain('--token-command');
  });

  test('is not executable', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'pgpassd-token-command-'));
    onTestFinished(() => rm(directory, { recursive: true }));
    const program = join(directory, 'program');
    await writeFile(program, '#!/bin/sh\necho token\n');
    await chmod(program, 0o644);
    const error = await failureOf(() => run([program]));
    expect(error.message).toBe(`the token command ${program} is not executable by this user`);
  });

  test.each<[string, string]>([
    ['holds a NUL', `${token}\0`],
    ['is longer than the system allows', token.repeat(100_000)],
  ])('cannot be started: an argument %s', async (_case, argument) => {
    const error = await failureOf(() => run(['sh', argument]), [token]);
    expect(error.code).toBe('token-command.failed');
    expect(error.message).toMatch(/^the token command sh could not be started \(\w+\)$/);
  });
});

describe('a command that does not end', () => {
  test('is killed with its children at the deadline', async () => {
    const clock = newClock();
    const roll = await openRollCall();
    const script = `console.error('waiting for a browser'); ${starts(roll.attend('child'))}`;
    const failure = failureOf(() => run(node(roll.attend('parent', script)), { clock }));
    const parent = await roll.present('parent');
    const child = await roll.present('child');
    expect([parent, child].map(({ pid }) => isRunning(pid))).toEqual([true, true]);
    expect(clock.sleptMs).toEqual([10_000]);
    clock.elapse();
    const error = await failure;
    expect(error.code).toBe('token-command.failed');
    expect(error.message).toContain(
      'did not exit within 10 s and was killed: waiting for a browser',
    );
    expect(error.remedy).toContain('--request-timeout');
    expect(isRunning(parent.pid)).toBe(false);
    await child.gone;
  });

  test('is killed when a child of it holds the pipe after its end', async () => {
    const clock = newClock();
    const roll = await openRollCall();
    const failure = failureOf(() => run(node(starts(roll.attend('child'))), { clock }));
    const child = await roll.present('child');
    clock.elapse();
    expect((await failure).message).toContain('did not exit within 10 s');
    await child.gone;
  });

  test('is killed when it lingers with its output closed', async () => {
    const clock = newClock();
    const roll = await openRollCall();
    const close = `require('node:fs').closeSync(1); require('node:fs').closeSync(2)`;
    const failure = failureOf(() => run(node(roll.attend('command', close)), { clock }));
    const command = await roll.present('command');
    clock.elapse();
    expect((await failure).message).toContain('did not exit within 10 s');
    expect(isRunning(command.pid)).toBe(false);
  });

  test.each([
    ['lives', (roll: RollCall, leave: string) => roll.attend('parent', leave)],
    ['has ended', (_roll: RollCall, leave: string) => leave],
  ])('does not hold us through a child that left its group, when it %s', async (_case, parent) => {
    const clock = newClock();
    const roll = await openRollCall();
    const leave = starts(roll.attend('child'), { detached: true });
    const failure = failureOf(() => run(node(parent(roll, leave)), { clock }));
    await roll.present('child');
    clock.elapse();
    expect((await failure).message).toContain('did not exit within 10 s');
  });

  test('is killed with its children when its caller aborts', async () => {
    const caller = new AbortController();
    const roll = await openRollCall();
    const command = node(roll.attend('parent', starts(roll.attend('child'))));
    const result = run(command, { signal: caller.signal });
    const parent = await roll.present('parent');
    const child = await roll.present('child');
    const reason = new Error('we stop');
    caller.abort(reason);
    await expect(result).rejects.toBe(reason);
    expect(isRunning(parent.pid)).toBe(false);
    await child.gone;
  });

  test('is not started for a caller that has aborted', async () => {
    const reason = new Error('we stopped');
    const result = run(['no-such-program'], { signal: AbortSignal.abort(reason) });
    await expect(result).rejects.toBe(reason);
  });

  test('is killed with its children when it prints more than 1 MiB', async () => {
    const roll = await openRollCall();
    const flood = `setInterval(() => process.stdout.write('${token}'.repeat(9999)))`;
    const script = `${starts(roll.attend('child'))} process.once('SIGHUP', () => ${flood})`;
    const failure = failureOf(() => run(node(roll.attend('parent', script))), [token]);
    const child = await roll.present('child');
    const parent = await roll.present('parent');
    process.kill(parent.pid, 'SIGHUP');
    const error = await failure;
    expect(error.code).toBe('token-command.failed');
    expect(error.message).toContain('printed more than 1 MiB and was killed');
    expect(error.remedy).toContain('--token-command');
    expect(isRunning(parent.pid)).toBe(false);
    await child.gone;
  });
});
