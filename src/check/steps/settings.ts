import type { Config } from '../../config/config.ts';
import { layoutOf, readTemplate } from '../../passfile/layout.ts';
import { openSource } from '../../sources/open.ts';
import { asPgpassdError } from '../../support/failure.ts';
import { KnownSecrets } from '../../support/secret.ts';
import { asksForNoVerification, VERIFIED_ALL_THE_SAME } from '../../support/verification.ts';
import { badSetting, notInjected } from '../causes/settings.ts';
import { type Finding, failed, ok, skipped, wrong } from '../finding.ts';
import { type Scene, type Side, timeoutMsOf } from '../scene.ts';

/** Whether the settings are all there and can be used. */
export async function checkSettings(scene: Scene, side: Side): Promise<readonly Finding[]> {
  const { problems, config } = scene.reading;
  const told = problems.texts.filter(
    (text) => side === 'daemon' || !problems.missing.includes(text),
  );
  const uninjected = side === 'daemon' && !knowsAzure(scene);
  const findings = [
    ...told
      .filter((text) => !(uninjected && isAboutAzure(text)))
      .map((problem) => wrong('settings', badSetting({ problem }))),
    ...(await fileFindings(scene)),
  ];
  const aside = leftAside(scene);
  if (uninjected) return [wrong('settings', notInjected()), ...findings, ...aside];
  if (findings.length > 0) return [...findings, ...aside];
  return [
    config === undefined
      ? skipped('settings', whatIsHere(scene))
      : ok('settings', summaryOf(config)),
    ...aside,
  ];
}

/** Other programs of the container may heed it. */
function leftAside({ env }: Scene): readonly Finding[] {
  return asksForNoVerification(env) ? [skipped('settings', VERIFIED_ALL_THE_SAME)] : [];
}

function whatIsHere(scene: Scene): string {
  return knowsAzure(scene)
    ? "not all of pgpassd's are here: this is the container of an application, or they stand in the args of pgpassd run"
    : 'no Azure settings here: this is the container of an application';
}

/**
 * The webhook tells every container of the pod how to get tokens, unless told otherwise; what they
 * are for is told to pgpassd alone. A container without either, that finds a passfile which somebody
 * wrote or a pgpassd at work, is an application's.
 */
export function sideOf(scene: Scene, pgpassdWasHere: boolean): Side {
  const { config, values } = scene.reading;
  if (config !== undefined || (knowsAzure(scene) && namesEntries(scene))) return 'daemon';
  const namesOnlyPassfile =
    !knowsAzure(scene) && !namesEntries(scene) && values.passfile !== undefined;
  return pgpassdWasHere || namesOnlyPassfile ? 'client' : 'daemon';
}

/** Whether settings of pgpassd's own say whom the token is for; an application may have libpq's, too. */
export function namesEntries({ reading: { values } }: Scene): boolean {
  return values.entry?.length !== 0 || values.template !== undefined;
}

function knowsAzure({ reading: { values } }: Scene): boolean {
  const { tenantId, clientId, federatedTokenFile, tokenCommand } = values;
  return [tenantId, clientId, federatedTokenFile, tokenCommand].some(
    (value) => value !== undefined,
  );
}

function isAboutAzure(problem: string): boolean {
  return /^--(?:tenant-id|client-id|federated-token-file) /.test(problem);
}

/** The template, the CA files and the HTTP proxy: what the daemon would refuse to start with. */
async function fileFindings(scene: Scene): Promise<readonly Finding[]> {
  const { reading, env, clock } = scene;
  const { source } = reading;
  const { template } = reading.values;
  const context = {
    requestTimeoutMs: timeoutMsOf(scene),
    env,
    clock,
    onEvent: () => undefined,
    secrets: new KnownSecrets(),
  };
  const outcomes = await Promise.allSettled([
    template && readTemplate(template).then((bytes) => layoutOf(bytes, template)),
    source && openSource(source, context),
  ]);
  return outcomes
    .filter((outcome) => outcome.status === 'rejected')
    .map(({ reason }) => failed('settings', asPgpassdError(reason)));
}

function summaryOf({ entries, template, source }: Config): string {
  const lines =
    template === undefined ? count(entries.length, 'entry', 'entries') : `template ${template}`;
  return source.kind === 'token-command'
    ? `${lines}; tokens from a command`
    : `${lines}; client ${source.exchange.clientId} in tenant ${source.exchange.tenantId}`;
}

function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`;
}
