import type { Config } from '../../config/config.ts';
import { layoutOf, readTemplate } from '../../passfile/read-template.ts';
import { openSource } from '../../sources/open.ts';
import { asPgpassdError } from '../../support/errors.ts';
import { badSetting, notInjected } from '../causes/settings.ts';
import { type Finding, failed, ok, skipped, wrong } from '../finding.ts';
import type { Scene, Side } from '../scene.ts';

/** Whether the settings are all there and can be used. */
export async function checkSettings(scene: Scene, side: Side): Promise<readonly Finding[]> {
  const { problems, config } = scene.reading;
  const told = problems.texts.filter(
    (text) => side === 'daemon' || !problems.missing.includes(text),
  );
  const uninjected = side === 'daemon' && !knowsAzure(scene);
  const findings = told
    .filter((text) => !(uninjected && isAboutAzure(text)))
    .map((problem) => wrong('settings', badSetting, { problem }));
  if (uninjected) return [wrong('settings', notInjected, {}), ...findings];
  if (findings.length > 0) return findings;
  if (config === undefined) {
    return [skipped('settings', 'no Azure settings here: this is the side of an application')];
  }
  try {
    await tryFiles(config, scene);
  } catch (error) {
    return [failed('settings', asPgpassdError(error))];
  }
  return [ok('settings', summaryOf(config))];
}

/**
 * A container that knows nothing of Azure, but finds a passfile that somebody wrote or a pgpassd at
 * work, is an application's; one that finds neither was meant to be pgpassd's.
 */
export function sideOf(scene: Scene, pgpassdWasHere: boolean): Side {
  return !knowsAzure(scene) && pgpassdWasHere ? 'client' : 'daemon';
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

/** The template and the CA files: what the daemon would refuse to start with. */
async function tryFiles(
  { template, source, requestTimeoutMs }: Config,
  scene: Scene,
): Promise<void> {
  if (template !== undefined) layoutOf(await readTemplate(template), template);
  const { env, clock } = scene;
  await openSource(source, { requestTimeoutMs, env, clock, onEvent: () => undefined });
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
