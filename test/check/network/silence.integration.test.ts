import { Agent } from 'undici';
import { expect, test } from 'vitest';
import { reach } from '../../../src/check/network/reach.ts';
import { obstacleIn } from '../../../src/check/steps/network.ts';
import type { LookUp } from '../../../src/entra/connect.ts';
import { createConnectors } from '../../../src/entra/connect.ts';
import type { Transport } from '../../../src/entra/transport.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { startFullPort } from '../../support/full-port.ts';
import { shown } from '../context.ts';

const signal = new AbortController().signal;

/** What is found on the way when `lookUp` resolves names, and time is up once `stuck`. */
async function check(endpoint: string, lookUp: LookUp, stuck: Promise<unknown>) {
  const clock = new FakeClock();
  const transport: Transport = {
    kind: 'direct',
    urlFor: (each) => each,
    dispatcher: async (attempt) => new Agent({ connect: createConnectors(lookUp)(attempt, {}) }),
  };
  const reaching = reach(endpoint, transport, { clock, timeoutMs: 10_000, signal });
  await stuck;
  await clock.advance(10_000);
  const trip = await reaching;
  const obstacle = obstacleIn(trip, new URL(endpoint), transport.kind, 10_000);
  return shown(obstacle === undefined ? [] : [obstacle])[0];
}

const never = new Promise<never>(() => undefined);

test('a DNS server that does not answer is reported as such', async () => {
  let asked = () => {};
  const stuck = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const lookUp: LookUp = async () => {
    asked();
    return await never;
  };
  const said = await check('https://login.example/', lookUp, stuck);
  expect(said).toMatch(
    /^✗ dns-silent \(entra.timeout\): .*login.example .*within 10 s → .*port 53/,
  );
});

test('a firewall that drops packets to the authority is reported with the address', async () => {
  const port = await startFullPort();
  let tried = () => {};
  const stuck = new Promise<void>((resolve) => {
    tried = resolve;
  });
  const lookUp: LookUp = async () => {
    setImmediate(tried);
    return ['127.0.0.1'];
  };
  const said = await check(`https://login.example:${port}/`, lookUp, stuck);
  expect(said).toMatch(
    /^✗ connect-silent \(entra.timeout\): .*login.example:\d+ .*within 10 s \(127\.0\.0\.1\) → .*egress/,
  );
});
