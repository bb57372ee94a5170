import type { Config } from '../../config/load.ts';
import { injectedOptions } from '../../config/options.ts';
import type { Problem } from '../../config/read-options.ts';
import { layoutOf, readTemplate } from '../../passfile/layout.ts';
import { openSource } from '../../sources/open.ts';
import { asPgpassdError, failure } from '../../support/errors.ts';
import { asksForNoVerification, STILL_VERIFIED } from '../../support/network.ts';
import { KnownSecrets } from '../../support/secret.ts';
import {
  type CheckContext,
  type Finding,
  failed,
  namesIdentity,
  ok,
  type Side,
  skipped,
  timeoutMsOf,
  wrong,
} from '../step.ts';

export const notInjected = failure('not-injected', 'config.invalid', () => ({
  found: 'no AZURE_* variable is set: the workload identity webhook has not changed this container',
  remedy:
    'Put the label azure.workload.identity/use: "true" on the pod template (not on the Deployment or Job), use a service account with the annotation azure.workload.identity/client-id, do not list this container in the annotation azure.workload.identity/skip-containers, and recreate the pod.',
}));

export const badSetting = failure<'problem'>('setting', 'config.invalid', ({ problem }) => ({
  found: `${problem}`,
  remedy:
    'Correct it in the env or args of the container; pgpassd check --help lists all settings.',
}));

/** Whether the settings are complete and valid. */
export async function checkSettings(
  context: CheckContext,
  side: Side,
): Promise<readonly Finding[]> {
  const { problems, config } = context.reading;
  const relevant = problems.filter(({ kind }) => side === 'daemon' || kind !== 'missing');
  const uninjected = side === 'daemon' && !namesIdentity(context);
  const findings = [
    ...relevant
      .filter((problem) => !(uninjected && isUninjected(problem)))
      .map(({ text }) => wrong('settings', badSetting({ problem: text }))),
    ...(await fileFindings(context)),
  ];
  const warnings = verificationWarnings(context);
  if (uninjected) return [wrong('settings', notInjected()), ...findings, ...warnings];
  if (findings.length > 0) return [...findings, ...warnings];
  return [
    config === undefined
      ? skipped('settings', whyIncomplete(context))
      : ok('settings', summaryOf(config)),
    ...warnings,
  ];
}

/** pgpassd ignores the variable, but other programs in the container may not. */
function verificationWarnings({ env }: CheckContext): readonly Finding[] {
  return asksForNoVerification(env) ? [skipped('settings', STILL_VERIFIED)] : [];
}

function whyIncomplete(context: CheckContext): string {
  return namesIdentity(context)
    ? 'some of the settings of pgpassd are not here: this is the container of an application, or they are in the args of pgpassd run'
    : 'no Azure settings here: this is the container of an application';
}

/** Whether the webhook would have set what is missing. */
function isUninjected({ kind, option }: Problem): boolean {
  return kind === 'missing' && injectedOptions.some((name) => name === option);
}

/** The template, the CA files and the HTTP proxy: what the daemon would refuse to start with. */
async function fileFindings(context: CheckContext): Promise<readonly Finding[]> {
  const { reading, env, clock } = context;
  const { source } = reading;
  const { template } = reading.values;
  const sourceContext = {
    requestTimeoutMs: timeoutMsOf(context),
    env,
    clock,
    onEvent: () => undefined,
    secrets: new KnownSecrets(),
  };
  const outcomes = await Promise.allSettled([
    template && readTemplate(template).then((bytes) => layoutOf(bytes, template)),
    source && openSource(source, sourceContext),
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
