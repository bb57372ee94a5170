import { misplacedIn } from '../../config/secrets.ts';
import { failure } from '../../support/errors.ts';
import {
  defaultPassfile,
  findService,
  isSamePath,
  type PassfileAt,
  serviceFiles,
} from '../host.ts';
import { type CheckContext, type Finding, ok, type Side, wrong } from '../step.ts';

export const passwordVariable = failure('pgpassword-set', 'passfile.overridden', () => ({
  found: 'PGPASSWORD is set, so libpq sends it and never reads the passfile',
  remedy:
    "Remove PGPASSWORD from the container's env and envFrom, and from what its start script exports.",
}));

export const otherPassfile = failure<'pgpassfile' | 'path'>(
  'pgpassfile-differs',
  'passfile.overridden',
  ({ pgpassfile, path }) => ({
    found: `clients read PGPASSFILE, which is ${pgpassfile}, but --passfile (PGPASSD_PASSFILE) is ${path}`,
    remedy: 'Set both to the same file, or set only PGPASSFILE.',
  }),
);

export const passfileVariableUnset = failure<'path'>(
  'pgpassfile-unset',
  'passfile.overridden',
  ({ path }) => ({
    found: `PGPASSFILE is not set, so clients read .pgpass in their home directory, not ${path}`,
    remedy: `Set PGPASSFILE=${path} in the env of the application.`,
  }),
);

export const servicePassword = failure<'service' | 'file'>(
  'service-password',
  'passfile.overridden',
  ({ service, file }) => ({
    found: `the service ${service} in ${file} has a password, so libpq sends it and never reads the passfile`,
    remedy: 'Remove password= from the service.',
  }),
);

export const servicePassfile = failure<'service' | 'file' | 'other' | 'path'>(
  'service-passfile',
  'passfile.overridden',
  ({ service, file, other, path }) => ({
    found: `the service ${service} in ${file} names another passfile, ${other}`,
    remedy: `Remove passfile= from the service, or set it to ${path}.`,
  }),
);

export const serviceMissing = failure<'service' | 'files'>(
  'service-missing',
  'passfile.overridden',
  ({ service, files }) => ({
    found: `PGSERVICE is ${service}, which is not defined in ${files}, so libpq refuses to connect`,
    remedy:
      'Correct PGSERVICE, or set PGSERVICEFILE to the file that defines the service; when PGSERVICEFILE names a missing file, libpq looks no further.',
  }),
);

export const cleartextForbidden = failure<'variable' | 'value'>(
  'cleartext-forbidden',
  'passfile.overridden',
  ({ variable, value }) => ({
    found: `${variable}=${value} forbids cleartext password authentication, which is how a token is sent`,
    remedy: `Unset ${variable}: the token is sent as a password inside TLS, which sslmode=verify-full protects.`,
  }),
);

const STEP = 'overrides';

/** What in this environment keeps libpq from reading the passfile, or from sending the token in it. */
export async function checkOverrides(
  context: CheckContext,
  side: Side,
  passfile: PassfileAt | undefined,
): Promise<readonly Finding[]> {
  const { env } = context;
  const findings = [
    ...(env['PGPASSWORD'] ? [wrong(STEP, passwordVariable())] : []),
    ...(passfile === undefined ? [] : await variableFindings(context, side, passfile)),
    ...(await serviceFindings(context, passfile)),
    ...methodFindings(context),
  ];
  return findings.length > 0
    ? findings
    : [ok(STEP, 'nothing in this environment takes precedence over the passfile')];
}

async function variableFindings(
  { env }: CheckContext,
  side: Side,
  { path }: PassfileAt,
): Promise<Finding[]> {
  const pgpassfile = env['PGPASSFILE'];
  const read = pgpassfile || defaultPassfile(env);
  if (read !== undefined && (await isSamePath(read, path))) return [];
  if (pgpassfile) return [wrong(STEP, otherPassfile({ pgpassfile, path }))];
  return side === 'daemon' ? [] : [wrong(STEP, passfileVariableUnset({ path }))];
}

async function serviceFindings(
  { env }: CheckContext,
  passfile: PassfileAt | undefined,
): Promise<Finding[]> {
  const name = env['PGSERVICE'];
  if (!name) return [];
  const service = await findService(name, env);
  if (service === undefined) {
    const files = serviceFiles(env).join(' or ');
    return [wrong(STEP, serviceMissing({ service: name, files }))];
  }
  const about = { service: name, file: service.file };
  if (service.hasPassword) return [wrong(STEP, servicePassword(about))];
  const { passfile: other } = service;
  if (other === undefined || passfile === undefined) return [];
  if (await isSamePath(other, passfile.path)) return [];
  const shown = misplacedIn('PGPASSFILE', { PGPASSFILE: other }) ? 'which is not a path' : other;
  return [wrong(STEP, servicePassfile({ ...about, other: shown, path: passfile.path }))];
}

/** https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNECT-REQUIRE-AUTH */
function methodFindings({ env }: CheckContext): Finding[] {
  const forbidden = (variable: string) =>
    wrong(STEP, cleartextForbidden({ variable, value: env[variable] ?? '' }));
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
