import { readFederatedToken } from '../../federated-token/file.ts';
import {
  assertUnexpired,
  type FederatedIdentity,
  type FederatedToken,
} from '../../federated-token/token.ts';
import { duration } from '../../support/duration.ts';
import { asPgpassdError, PgpassdError } from '../../support/errors.ts';
import { boundedText } from '../../support/printable.ts';
import { frozenToken } from '../causes/federated-token.ts';
import { lookAtTokenFile, type TokenFile } from '../files/token-file.ts';
import { type Finding, failed, ok, skipped, wrong } from '../finding.ts';
import type { Scene } from '../scene.ts';
import { type AuthorityClock, isOff } from './clocks.ts';

const STEP = 'federated token';

/** What Entra takes by default, in each of its clouds. */
const USUAL_AUDIENCES = [
  'api://AzureADTokenExchange',
  'api://AzureADTokenExchangeUSGov',
  'api://AzureADTokenExchangeChina',
];

export interface FederatedTokenReport {
  readonly findings: readonly Finding[];
  /** Absent when there is none. */
  readonly federated: FederatedToken | undefined;
  /** Whether it can be sent: it is there, and has not expired by this clock. */
  readonly usable: boolean;
}

/**
 * The file of the federated token, and what the token says of itself. `authority` tells apart a
 * token that has expired and a clock that is wrong.
 */
export async function checkFederatedToken(
  scene: Scene,
  authority: AuthorityClock | undefined,
): Promise<FederatedTokenReport> {
  const { reading, clock } = scene;
  const { tokenCommand, federatedTokenFile } = reading.values;
  if (tokenCommand !== undefined) return nothing('not needed: tokens come from a command');
  if (federatedTokenFile === undefined) return nothing('not looked at: no setting names its file');
  const file = await lookAtTokenFile(federatedTokenFile);
  const read = await readFederatedToken(file.path).catch(asPgpassdError);
  if (read instanceof PgpassdError) {
    return { findings: unreadable(file, read), federated: undefined, usable: false };
  }
  const nowMs = clock.now().wallMs;
  return {
    findings: [
      ...lifeFindings(file, read, nowMs, authority),
      ...identityFindings(read.identity, scene),
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
  plain: 'in no projected volume',
  frozen: 'a mount of its own',
};

function lifeFindings(
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
  // Whoever asks for tokens believes this clock, be it right or not.
  const alive =
    authority !== undefined &&
    isOff(authority) &&
    expiryOf(federated, nowMs + authority.leadMs) === undefined;
  return [
    ok(STEP, found),
    alive
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

/** What a sentence about the token can end with. */
function endOf({ expiresAtMs }: FederatedToken, nowMs: number): string {
  if (expiresAtMs === undefined) return 'does not tell when it expires';
  const leftMs = expiresAtMs - nowMs;
  return leftMs > 0 ? `expires in ${duration(leftMs)}` : `expired ${duration(-leftMs)} ago`;
}

function identityFindings(
  { issuer, subject, audience }: FederatedIdentity,
  { reading: { source, values } }: Scene,
): readonly Finding[] {
  const audiences = boundedText(audience.join(', '));
  const findings = [
    ok(STEP, issuer === undefined ? 'no issuer' : `issuer ${boundedText(issuer)}`),
    ok(STEP, subject === undefined ? 'no subject' : `subject ${boundedText(subject)}`),
  ];
  // The AKS token proxy has an audience of its own.
  const toEntra = source?.kind === 'workload-identity' && source.tokenProxy === undefined;
  if (!toEntra || audience.some((each) => USUAL_AUDIENCES.includes(each))) {
    return [...findings, ok(STEP, audiences === '' ? 'no audience' : `audience ${audiences}`)];
  }
  const unusual = `audience ${audiences || 'none'}, not the usual ${USUAL_AUDIENCES[0]}`;
  return values.offline === true
    ? [...findings, skipped(STEP, `${unusual}: only an exchange shows whether it is right`)]
    : [...findings, ok(STEP, `${unusual}: the exchange shows whether it is right`)];
}
