import {
  assertUnexpired,
  type FederatedIdentity,
  type FederatedToken,
  readFederatedToken,
} from '../../federated-token/federated-token.ts';
import { asPgpassdError, failure, PgpassdError } from '../../support/errors.ts';
import { duration, sanitizeValue } from '../../support/text.ts';
import { inspectTokenFile, type TokenFile } from '../host.ts';
import { type CheckContext, type Finding, failed, ok, skipped, wrong } from '../step.ts';
import { type AuthorityClock, isOff } from './clocks.ts';

export const frozenToken = failure<'path' | 'end'>(
  'federated-token-frozen',
  'federated-token.expired',
  ({ path, end }) => ({
    found: `${path} is mounted with subPath or as a single file, so it never gets the new tokens that kubelet writes to the volume; the token in it ${end}`,
    remedy:
      'Mount the whole volume as a directory, without subPath, and set AZURE_FEDERATED_TOKEN_FILE (--federated-token-file) to the file in it.',
  }),
);

const STEP = 'federated token';

/** The audiences that Entra expects by default, one for each of its clouds. */
const USUAL_AUDIENCES = [
  'api://AzureADTokenExchange',
  'api://AzureADTokenExchangeUSGov',
  'api://AzureADTokenExchangeChina',
];

export interface FederatedTokenReport {
  readonly findings: readonly Finding[];
  /** Absent when there is none. */
  readonly federated: FederatedToken | undefined;
  /** Whether it can be sent: it exists, and has not expired by this clock. */
  readonly usable: boolean;
}

/**
 * The file of the federated token, and the claims in it. `authority` tells a token that has expired
 * from a clock that is wrong.
 */
export async function checkFederatedToken(
  context: CheckContext,
  authority: AuthorityClock | undefined,
): Promise<FederatedTokenReport> {
  const { reading, clock } = context;
  const { tokenCommand, federatedTokenFile } = reading.values;
  if (tokenCommand !== undefined) return nothing('not needed: tokens come from a command');
  if (federatedTokenFile === undefined) return nothing('not examined: no setting names its file');
  const file = await inspectTokenFile(federatedTokenFile);
  const read = await readFederatedToken(file.path).catch(asPgpassdError);
  if (read instanceof PgpassdError) {
    return { findings: unreadable(file, read), federated: undefined, usable: false };
  }
  const nowMs = clock.now().wallMs;
  return {
    findings: [
      ...fileFindings(file, read, nowMs, authority),
      ...identityFindings(read.identity, context),
    ],
    federated: read,
    usable: expiryOf(read, nowMs) === undefined,
  };
}

function nothing(why: string): FederatedTokenReport {
  return { findings: [skipped(STEP, why)], federated: undefined, usable: false };
}

function unreadable({ layout, path }: TokenFile, error: PgpassdError): readonly Finding[] {
  return layout === 'frozen'
    ? [wrong(STEP, frozenToken({ path, end: 'cannot be read' })), skipped(STEP, error.message)]
    : [failed(STEP, error)];
}

const layouts: Readonly<Record<TokenFile['layout'], string>> = {
  flat: 'in a projected volume (flat)',
  nested: 'in a projected volume (nested)',
  plain: 'not in a projected volume',
  frozen: 'mounted with subPath or as a single file',
};

function fileFindings(
  { path, layout, modifiedMs }: TokenFile,
  federated: FederatedToken,
  nowMs: number,
  authority: AuthorityClock | undefined,
): readonly Finding[] {
  const end = endOf(federated, nowMs);
  if (layout === 'frozen') return [wrong(STEP, frozenToken({ path, end }))];
  const written =
    modifiedMs === undefined ? '' : `, written ${duration(Math.max(0, nowMs - modifiedMs))} ago`;
  const found = `${path}: ${layouts[layout]}${written}`;
  const expiry = expiryOf(federated, nowMs);
  if (expiry === undefined) return [ok(STEP, `${found}; the token ${end}`)];
  // The daemon goes by this clock, even when it is wrong.
  const validByAuthority =
    authority !== undefined &&
    isOff(authority) &&
    expiryOf(federated, nowMs + authority.leadMs) === undefined;
  return [
    ok(STEP, found),
    validByAuthority
      ? skipped(STEP, `the token ${end} by this clock, which is wrong: see clocks`)
      : failed(STEP, expiry),
  ];
}

function expiryOf(federated: FederatedToken, nowMs: number): PgpassdError | undefined {
  try {
    assertUnexpired(federated, nowMs);
    return undefined;
  } catch (error) {
    return asPgpassdError(error);
  }
}

/** The end of a sentence about the token. */
function endOf({ expiresAtMs }: FederatedToken, nowMs: number): string {
  if (expiresAtMs === undefined) return 'has no expiry';
  const leftMs = expiresAtMs - nowMs;
  return leftMs > 0 ? `expires in ${duration(leftMs)}` : `expired ${duration(-leftMs)} ago`;
}

function identityFindings(
  { issuer, subject, audience }: FederatedIdentity,
  { reading: { source, values } }: CheckContext,
): readonly Finding[] {
  const audiences = sanitizeValue(audience.join(', '));
  const findings = [
    ok(STEP, issuer === undefined ? 'no issuer' : `issuer ${sanitizeValue(issuer)}`),
    ok(STEP, subject === undefined ? 'no subject' : `subject ${sanitizeValue(subject)}`),
  ];
  // The AKS token proxy has an audience of its own.
  const toEntra = source?.kind === 'workload-identity' && source.tokenProxy === undefined;
  if (!toEntra || audience.some((each) => USUAL_AUDIENCES.includes(each))) {
    return [...findings, ok(STEP, audiences === '' ? 'no audience' : `audience ${audiences}`)];
  }
  const unusual = `audience ${audiences || 'none'}, not the usual ${USUAL_AUDIENCES[0]}`;
  return values.offline === true
    ? [...findings, skipped(STEP, `${unusual}: only an exchange shows whether Entra accepts it`)]
    : [...findings, ok(STEP, `${unusual}: the exchange shows whether Entra accepts it`)];
}
