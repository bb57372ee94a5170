import type { Entry } from '../../passfile/format.ts';
import { entryLinesOf, type Line, lookUp } from '../../passfile/lookup.ts';
import type { AccessToken } from '../../support/access-token.ts';
import { failure } from '../../support/errors.ts';
import type { Secret } from '../../support/secret.ts';
import type { PassfileAt } from '../host.ts';
import { login } from '../login/login.ts';
import { type LoginTarget, loginTarget, type Refused, type Untried } from '../login/target.ts';
import { type CheckContext, distinct, type Finding, skipped, timeoutMsOf, wrong } from '../step.ts';
import { isInOrder } from './lookup.ts';

export const clientRefuses = failure<'why'>('client-refuses', 'server.unreachable', ({ why }) => ({
  found: `libpq refuses to connect, so no login was tried: ${why}`,
  remedy:
    'Correct the variable, or the same setting in the service of PGSERVICE; a connection string takes precedence over both.',
}));

const STEP = 'login';

/**
 * A login to the server of each entry with the password that a client finds in the passfile, or with
 * a new token when it finds none.
 */
export async function checkLogins(
  context: CheckContext,
  passfile: PassfileAt | undefined,
  wanted: readonly Entry[],
  issued: AccessToken | undefined,
): Promise<readonly Finding[]> {
  const { reading, env } = context;
  const { connect, offline } = reading.values;
  if (connect !== true) return [skipped(STEP, 'not tried: --connect is not given')];
  if (offline === true) return [skipped(STEP, 'not tried: --offline')];
  const lines = passfile?.found.kind === 'lines' ? passfile.found.lines : [];
  const entries = entriesToTry(context, wanted, lines);
  if (entries.length === 0) return [skipped(STEP, 'not tried: no entry names a server')];
  // All at once, so that many take no longer than one.
  const findings = await Promise.all(
    entries.map((entry) => tryToLogIn(context, loginTarget(entry, env), lines, issued)),
  );
  // An invalid variable usually affects all of them.
  return distinct(findings);
}

async function tryToLogIn(
  context: CheckContext,
  target: LoginTarget | Untried | Refused,
  lines: readonly Line[],
  issued: AccessToken | undefined,
): Promise<Finding> {
  if ('refused' in target) return wrong(STEP, clientRefuses({ why: target.refused }));
  if ('untried' in target) return skipped(STEP, `not tried: ${target.untried}`);
  const password = passwordFor(target, lines) ?? issued?.token;
  if (password === undefined) {
    return skipped(STEP, `not tried: there is no token for ${target.user} at ${target.host}`);
  }
  const { clock, signal } = context;
  return await login(target, password, { clock, timeoutMs: timeoutMsOf(context), signal });
}

/** The entries of the settings; or else those of `--for`; or else the lines that hold a token. */
function entriesToTry(
  { reading: { values } }: CheckContext,
  wanted: readonly Entry[],
  lines: readonly Line[],
): readonly Entry[] {
  if (wanted.length > 0) return wanted;
  if (values.for !== undefined && values.for.length > 0) return values.for;
  return entryLinesOf(lines)
    .filter((line) => line.facts.kind === 'jwt' && isInOrder(line))
    .map(({ entry }) => entry);
}

function passwordFor(
  { host, port, database, user }: LoginTarget,
  lines: readonly Line[],
): Secret | undefined {
  return lookUp(lines, { host, port: `${port}`, database, user }).found?.password;
}
