import type { Entry } from '../../passfile/format.ts';
import { entryLinesOf, type Line, lookUp } from '../../passfile/lookup.ts';
import type { AccessToken } from '../../support/access-token.ts';
import type { Secret } from '../../support/secret.ts';
import { clientRefuses } from '../causes/connection.ts';
import type { PassfileAt } from '../files/passfile-at.ts';
import { distinct, type Finding, skipped, wrong } from '../finding.ts';
import { login } from '../login/login.ts';
import { type LoginTarget, loginTarget, type Refused, type Untried } from '../login/target.ts';
import { type Scene, timeoutMsOf } from '../scene.ts';
import { isInOrder } from '../shown-fields.ts';

const STEP = 'login';

/** A login to the server of each entry with what a client finds in the passfile; without one, with a new token. */
export async function checkLogins(
  scene: Scene,
  passfile: PassfileAt | undefined,
  wanted: readonly Entry[],
  issued: AccessToken | undefined,
): Promise<readonly Finding[]> {
  const { reading, env } = scene;
  const { connect, offline } = reading.values;
  if (connect !== true) return [skipped(STEP, 'not tried: --connect is not given')];
  if (offline === true) return [skipped(STEP, 'not tried: --offline')];
  const lines = passfile?.found.kind === 'lines' ? passfile.found.lines : [];
  const entries = entriesToTry(scene, wanted, lines);
  if (entries.length === 0) return [skipped(STEP, 'not tried: nothing says where to')];
  // At the same time, so that it takes no longer for many of them.
  const findings = await Promise.all(
    entries.map((entry) => tryToLogIn(scene, loginTarget(entry, env), lines, issued)),
  );
  // A variable that is wrong is mostly wrong for all of them.
  return distinct(findings);
}

async function tryToLogIn(
  scene: Scene,
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
  const { clock, signal } = scene;
  return await login(target, password, { clock, timeoutMs: timeoutMsOf(scene), signal });
}

/** What the settings name; else what `--for` does; else the lines that hold a token. */
function entriesToTry(
  { reading: { values } }: Scene,
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
