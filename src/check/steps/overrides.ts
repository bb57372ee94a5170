import { misplacedIn } from '../../config/secrets.ts';
import * as causes from '../causes/overrides.ts';
import { defaultPassfile, isSamePath, type PassfileAt } from '../files/passfile-at.ts';
import { findService, serviceFiles } from '../files/service-file.ts';
import { type Finding, ok, wrong } from '../finding.ts';
import type { Scene, Side } from '../scene.ts';

const STEP = 'overrides';

/** What in this environment keeps libpq from the passfile, or from sending what is in it. */
export async function checkOverrides(
  scene: Scene,
  side: Side,
  passfile: PassfileAt | undefined,
): Promise<readonly Finding[]> {
  const { env } = scene;
  const findings = [
    ...(env['PGPASSWORD'] ? [wrong(STEP, causes.passwordVariable())] : []),
    ...(passfile === undefined ? [] : await variableFindings(scene, side, passfile)),
    ...(await serviceFindings(scene, passfile)),
    ...methodFindings(scene),
  ];
  return findings.length > 0
    ? findings
    : [ok(STEP, 'nothing in this environment comes before the passfile')];
}

async function variableFindings(
  { env }: Scene,
  side: Side,
  { path }: PassfileAt,
): Promise<Finding[]> {
  const pgpassfile = env['PGPASSFILE'];
  const read = pgpassfile || defaultPassfile(env);
  if (read !== undefined && (await isSamePath(read, path))) return [];
  if (pgpassfile) return [wrong(STEP, causes.otherPassfile({ pgpassfile, path }))];
  return side === 'daemon' ? [] : [wrong(STEP, causes.passfileVariableUnset({ path }))];
}

async function serviceFindings(
  { env }: Scene,
  passfile: PassfileAt | undefined,
): Promise<Finding[]> {
  const name = env['PGSERVICE'];
  if (!name) return [];
  const service = await findService(name, env);
  if (service === undefined) {
    const files = serviceFiles(env).join(' and ');
    return [wrong(STEP, causes.serviceMissing({ service: name, files }))];
  }
  const about = { service: name, file: service.file };
  if (service.hasPassword) return [wrong(STEP, causes.servicePassword(about))];
  const { passfile: other } = service;
  if (other === undefined || passfile === undefined) return [];
  if (await isSamePath(other, passfile.path)) return [];
  const shown = misplacedIn('PGPASSFILE', { PGPASSFILE: other }) ? 'by what is no path' : other;
  return [wrong(STEP, causes.servicePassfile({ ...about, other: shown, path: passfile.path }))];
}

/** https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNECT-REQUIRE-AUTH */
function methodFindings({ env }: Scene): Finding[] {
  const forbidden = (variable: string) =>
    wrong(STEP, causes.cleartextForbidden({ variable, value: env[variable] ?? '' }));
  return [
    ...(env['PGCHANNELBINDING'] === 'require' ? [forbidden('PGCHANNELBINDING')] : []),
    ...(allowsPassword(env['PGREQUIREAUTH'] ?? '') ? [] : [forbidden('PGREQUIREAUTH')]),
  ];
}

function allowsPassword(requireAuth: string): boolean {
  const methods = requireAuth.split(',').map((method) => method.trim());
  if (requireAuth === '') return true;
  return methods.some((method) => method.startsWith('!'))
    ? !methods.includes('!password')
    : methods.includes('password');
}
