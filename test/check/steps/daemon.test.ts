import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Finding, wrong } from '../../../src/check/step.ts';
import { checkDaemon, explains, findDaemon, isHealthy } from '../../../src/check/steps/daemon.ts';
import { passfileFrozen } from '../../../src/check/steps/passfile.ts';
import { passfileMissing } from '../../../src/passfile/messages.ts';
import { startSilentPeer } from '../../support/silent-peer.ts';
import { manualClock } from '../../support-units/manual-clock.ts';
import { contextWith, shown } from '../context.ts';

/** Somebody who answers every request as told. */
async function startPeer(answer: (response: ServerResponse) => void, host = '127.0.0.1') {
  const server = createServer((_, response) => answer(response));
  await once(server.listen(0, host), 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

const answering = (status: number, body: unknown) => (response: ServerResponse) =>
  void response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body));

async function ask(answer: (response: ServerResponse) => void) {
  const address = await startPeer(answer);
  return await findDaemon(contextWith({ PGPASSD_HTTP_ADDRESS: address }));
}

const lastError = {
  code: 'entra.refused',
  message: 'Entra refused the exchange',
  remedy: 'Do this.',
  aadsts: 'AADSTS700016',
};

describe('what a running pgpassd says of itself', () => {
  test('is as it should be', async () => {
    const daemon = await ask(answering(200, { status: 'ok', reason: 'all is well' }));
    expect(isHealthy(daemon)).toBe(true);
    expect(shown([checkDaemon(daemon, true)])).toEqual([
      expect.stringMatching(/^✓ pgpassd at 127\.0\.0\.1:\d+: all is well$/),
    ]);
  });

  test.each<[string, number, object, RegExp]>([
    [
      'not ready',
      503,
      { reason: 'stopping' },
      /^✗ daemon-not-ready \(passfile\.expired\): .*: stopping →/,
    ],
    [
      'not ready, and why',
      503,
      { reason: 'none yet', lastError },
      /^✗ daemon-failing \(entra\.refused\): .* is not ready, .*: Entra refused .* → Do this\.$/,
    ],
    [
      'ready, but failing',
      200,
      { reason: 'valid', lastError },
      /^✗ daemon-failing \(entra\.refused\): .* is ready, and .* → Do this\.$/,
    ],
  ])('is that it is %s', async (_case, status, body, text) => {
    const daemon = await ask(answering(status, body));
    expect(isHealthy(daemon)).toBe(false);
    expect(shown([checkDaemon(daemon, true)])).toEqual([expect.stringMatching(text)]);
    expect(shown([checkDaemon(daemon, false)])).toEqual([expect.stringMatching(/^– .*see above$/)]);
  });

  test.each<[string, unknown]>([
    ['is no JSON', 'ready'],
    ['is not pgpassd’s', { status: 'UP' }],
    ['never ends', 'x'.repeat(100_000)],
  ])('is nothing when it %s', async (_case, body) => {
    expect(shown([checkDaemon(await ask(answering(200, body)), true)])).toEqual([
      expect.stringMatching(/^– no pgpassd answers at /),
    ]);
  });

  test('is asked for at an address of IPv6, too', async () => {
    const address = await startPeer(answering(200, { reason: 'all is well' }), '::1');
    const daemon = await findDaemon(contextWith({ PGPASSD_HTTP_ADDRESS: address }));
    expect(shown([checkDaemon(daemon, true)])).toEqual([`✓ pgpassd at ${address}: all is well`]);
  });
});

describe('who is asked has a second', () => {
  const clock = () => manualClock({ wallMs: 0, monotonicMs: 0 });

  test('and no more, even if it says something all the time', async () => {
    const heard = Promise.withResolvers<void>();
    const address = await startPeer((response) => {
      response.write('{');
      const timer = setInterval(() => response.write(' '), 5);
      response.once('close', () => clearInterval(timer));
      heard.resolve();
    });
    const patience = clock();
    const asking = findDaemon(contextWith({ PGPASSD_HTTP_ADDRESS: address }, { clock: patience }));
    await heard.promise;
    patience.elapse();
    expect(await asking).toEqual({ address, answer: undefined });
    expect(patience.sleptMs).toEqual([1000]);
  });

  test('unless the process is asked to stop', async () => {
    const peer = await startSilentPeer();
    onTestFinished(() => peer.close());
    const stop = new AbortController();
    const heard = peer.heard();
    const env = { PGPASSD_HTTP_ADDRESS: `127.0.0.1:${peer.port}` };
    const asking = findDaemon(contextWith(env, { clock: clock(), signal: stop.signal }));
    await heard;
    stop.abort();
    expect(await asking).toMatchObject({ answer: undefined });
  });
});

describe('a failing pgpassd', () => {
  const missing = wrong('passfile', passfileMissing({ path: '/pgpass' }));
  const frozen = wrong('passfile', passfileFrozen({ path: '/pgpass' }));

  test.each<[string, readonly Finding[], boolean]>([
    ['explains that there is no passfile', [missing], true],
    ['does not explain another fault', [frozen, missing], false],
    ['explains nothing where nothing is wrong', [], false],
  ])('%s', async (_case, findings, expected) => {
    const daemon = await ask(answering(503, { reason: 'none yet', lastError }));
    expect(explains(daemon, findings)).toBe(expected);
  });

  test('explains nothing while it has not failed', async () => {
    expect(explains(await ask(answering(503, { reason: 'none yet' })), [missing])).toBe(false);
  });
});
