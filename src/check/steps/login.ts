import type { Entry } from '../../passfile/format.ts';
import { entryLinesOf, type Line } from '../../passfile/lines.ts';
import { lookUp } from '../../passfile/lookup.ts';
import type { IssuedToken } from '../../refresh/token-source.ts';
import { Secret } from '../../support/secret.ts';
import type { PassfileAt } from '../files/passfile-at.ts';
import { type Finding, skipped } from '../finding.ts';
import { login } from '../login/login.ts';
import { type LoginTarget, loginTarget } from '../login/target.ts';
import type { Scene } from '../scene.ts';

const STEP = 'login';

/** A login to the server of each entry with what a client finds in the passfile; without one, with a new token. */
export async function checkLogins(
  scene: Scene,
  passfile: PassfileAt | undefined,
  issued: IssuedToken | undefined,
): Promise<readonly Finding[]> {
  const { reading, env, clock, signal } = scene;
  if (reading.values.connect !== true) return [skipped(STEP, 'not tried: --connect is not given')];
  const lines = passfile?.found.kind === 'lines' ? passfile.found.lines : [];
  const entries = entriesToTry(scene, lines);
  if (entries.length === 0) return [skipped(STEP, 'not tried: nothing says where to')];
  const findings: Finding[] = [];
  const timeoutMs = reading.values.requestTimeout ?? DEFAULT_TIMEOUT_MS;
  for (const target of entries.map((entry) => loginTarget(entry, env))) {
    if ('untried' in target) {
      findings.push(skipped(STEP, `not tried: ${target.untried}`));
      continue;
    }
    const password = passwordFor(target, lines) ?? newToken(issued);
    findings.push(
      password === undefined
        ? skipped(STEP, `not tried: there is no token for ${target.user} at ${target.host}`)
        : await login(target, password, { clock, timeoutMs, signal }),
    );
  }
  return findings;
}

/** As that of `--request-timeout`, which could not be read. */
const DEFAULT_TIMEOUT_MS = 10_000;

/** What the settings name; else what `--for` does; else the lines that hold a token. */
function entriesToTry({ reading: { entries, values } }: Scene, lines: readonly Line[]) {
  if (entries.length > 0) return entries;
  if (values.for !== undefined && values.for.length > 0) return values.for;
  return entryLinesOf(lines)
    .filter(({ facts }) => facts.kind === 'jwt')
    .map(({ entry }): Entry => entry);
}

function passwordFor(
  { host, port, database, user }: LoginTarget,
  lines: readonly Line[],
): Secret | undefined {
  return lookUp(lines, { host, port: `${port}`, database, user }).found?.password;
}

function newToken(issued: IssuedToken | undefined): Secret | undefined {
  if (issued === undefined) return undefined;
  return typeof issued.token === 'string' ? new Secret(issued.token) : issued.token;
}
