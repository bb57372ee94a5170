import type { Fault } from '../support/fake-entra/faults.ts';
import { lookUntil } from '../support/look-until.ts';
import type { LogLine, Pgpassd, PgpassdOptions } from '../support/pgpassd-process.ts';
import type { Application } from './application.ts';
import { type Context, expectUnharmed, type Pod } from './pod.ts';

/** Something that goes wrong between pgpassd and Entra, for a while. */
export interface Outage {
  readonly name: string;
  /** Fields of `refresh.failed`. */
  readonly told: Readonly<Record<string, unknown>> & { readonly reason: string };
  readonly remedy: string | RegExp;
  /** Whether the next try is asked for as an operator would, however near it is. */
  readonly hurry?: true;
  /** Whether the next outage follows before the exchange works again; the application connects as it does anyway. */
  readonly inPassing?: true;
  /** Where the wait for the next try must lie, where it is not for the retry policy to choose. */
  readonly waitSeconds?: readonly [least: number, most: number];
  readonly begin: (pod: Pod) => unknown;
  readonly end: (pod: Pod) => unknown;
}

/** The standing fault of Entra itself, as an outage. */
export const entraDoes = (fault: Fault | (() => Fault)): Pick<Outage, 'begin' | 'end'> => ({
  begin: ({ entra }) => entra.faults.always(typeof fault === 'function' ? fault() : fault),
  end: ({ entra }) => entra.faults.always(undefined),
});

/** A next try that is further away is not waited for, but asked for as an operator would. */
const PATIENCE_MS = 4_000;

/** One pgpassd with a token in place, and an application that relies on it. */
interface Service {
  readonly pod: Pod;
  readonly pgpassd: Pgpassd;
  readonly application: Application;
}

/** Passes when an application notices nothing of the outages, and the log says all that there is to say. */
export async function endure(
  pod: Pod,
  outages: readonly Outage[],
  context: Context,
  options: Partial<PgpassdOptions> = {},
): Promise<void> {
  const { expect } = context;
  const pgpassd = pod.run(options);
  await pgpassd.waitFor('token.refreshed');
  const application = pod.startApplication();
  for (const outage of outages) {
    await endureOne({ pod, pgpassd, application }, outage, expect);
  }
  const connects = await application.stop();
  expect(connects.filter(({ ok }) => !ok)).toEqual([]);
  await expectUnharmed(pod, pgpassd, context);
}

async function endureOne(
  { pod, pgpassd, application }: Service,
  outage: Outage,
  expect: Context['expect'],
): Promise<void> {
  const issuedBefore = pod.entra.issued.length;
  await outage.begin(pod);
  pgpassd.signal('SIGHUP');
  const { aadsts: code } = outage.told;
  const failed = await pgpassd.waitFor(
    ({ event, failures, aadsts }) =>
      event === 'refresh.failed' && (code === undefined ? failures === 1 : aadsts === code),
  );
  expect(failed).toMatchObject({ level: 'warn', ...outage.told });
  expect(failed['tokenValidForSeconds']).toBeGreaterThan(3000);
  expect(failed['remedy']).toMatch(outage.remedy);
  expect(failed.msg).toContain(failed['remedy']);
  if (failed['status'] !== undefined) {
    const ids = pod.entra.requests.map(({ correlationId }) => correlationId);
    expect(ids).toContain(failed['correlationId']);
  }
  const [least, most] = outage.waitSeconds ?? [0, 300];
  expect(waitMsAfter(failed)).toBeGreaterThanOrEqual(least * 1000);
  expect(waitMsAfter(failed)).toBeLessThanOrEqual(most * 1000);
  if (outage.inPassing) return;
  await application.nextConnect();
  await outage.end(pod);

  // There may have been more tries meanwhile, and a longer wait after each.
  if (outage.hurry || waitMsAfter(lastFailure(pgpassd)) > PATIENCE_MS) pgpassd.signal('SIGHUP');
  await pgpassd.waitFor('refresh.recovered');
  expect(pod.entra.issued.length).toBeGreaterThan(issuedBefore);
  if (outage.hurry) await untilNewestToken(pod);
  else await pod.expectNewestToken();
  await application.nextConnect();
}

/** The next try may have begun by itself before the one that was asked for, which then follows it. */
async function untilNewestToken({ expectNewestToken }: Pod): Promise<void> {
  await lookUntil(() =>
    expectNewestToken().then(
      () => true,
      () => false,
    ),
  );
}

/** `refresh.failed`, told last. */
export function lastFailure({ lines }: Pgpassd): LogLine {
  const failed = lines.findLast(({ event }) => event === 'refresh.failed');
  if (failed === undefined) throw new Error('nothing has failed');
  return failed;
}

/** What to call a test of them all. */
export const namesOf = (faults: readonly { readonly name: string }[]): string =>
  faults.map(({ name }) => name).join('; ');

export const waitMsAfter = (failed: LogLine) => Number(failed['nextTryInSeconds']) * 1000;
