import { passfileForeign } from '../passfile/messages.ts';
import { defaultPassfile, findPassfile, withService } from './host.ts';
import {
  type CheckContext,
  type Finding,
  firstWrong,
  isWrong,
  sideOf,
  wantedEntries,
} from './step.ts';
import { checkClocks } from './steps/clocks.ts';
import { checkDaemon, explains, findDaemon } from './steps/daemon.ts';
import { checkAccessToken, checkExchange } from './steps/exchange.ts';
import { checkFederatedToken } from './steps/federated-token.ts';
import { checkLogins } from './steps/login.ts';
import { checkLookup } from './steps/lookup.ts';
import { checkNetwork } from './steps/network.ts';
import { checkOverrides } from './steps/overrides.ts';
import { checkPassfile, unresponsivePassfile } from './steps/passfile.ts';
import { checkSettings } from './steps/settings.ts';

/** All findings, in the order of causes: each step can explain what later steps find. */
export async function examine(context: CheckContext): Promise<readonly Finding[]> {
  const { passfile } = context.reading.values;
  const path = passfile ?? defaultPassfile(context.env);
  const unresponsive = await unresponsivePassfile(path, context);
  // Most of what follows would wait for the same volume.
  return unresponsive === undefined ? await examineAll(context) : [unresponsive];
}

async function examineAll(context: CheckContext): Promise<readonly Finding[]> {
  const named = await findPassfile(context.reading.values.passfile);
  const daemon = await findDaemon(context);
  const passfileExists = named !== undefined && named.found.kind !== 'missing';
  const side = sideOf(context, passfileExists || daemon?.answer !== undefined);
  const passfile =
    named ?? (side === 'client' ? await findPassfile(defaultPassfile(context.env)) : undefined);
  const settings = await checkSettings(context, side);
  // Before the federated token: the authority's clock tells an expired token from a wrong clock.
  const network = await checkNetwork(context);
  const { federated, usable, ...tokenFile } = await checkFederatedToken(context, network.authority);
  const exchange = await checkExchange(context, { usable, reached: network.reached });
  const tokenFindings = [
    ...settings,
    ...tokenFile.findings,
    checkClocks(context, federated, network.authority),
    ...network.findings,
    ...exchange.findings,
    ...checkAccessToken(context, exchange.issued),
  ];
  const asClient: CheckContext = { ...context, env: await withService(context.env) };
  const entries = await wantedEntries(context);
  const lookup = checkLookup(asClient, passfile, entries);
  const inPlace = withoutRepetition(await checkPassfile(context, side, passfile, daemon), lookup);
  const clientFindings = [
    ...inPlace,
    ...lookup,
    ...(await checkOverrides(context, side, passfile)),
  ];
  const daemonFirst = isSound(tokenFindings) && explains(daemon, inPlace);
  return [
    ...tokenFindings,
    ...(daemonFirst ? [checkDaemon(daemon, true)] : []),
    ...clientFindings,
    ...(daemonFirst ? [] : [checkDaemon(daemon, isSound([...tokenFindings, ...clientFindings]))]),
    ...(await checkLogins(asClient, passfile, entries, exchange.issued)),
  ];
}

/** How a line affects clients says more than that pgpassd did not write it. */
function withoutRepetition(
  inPlace: readonly Finding[],
  lookup: readonly Finding[],
): readonly Finding[] {
  if (firstWrong(lookup)?.code !== 'passfile.overridden') return inPlace;
  return inPlace.filter(
    (finding) => !isWrong(finding) || finding.cause !== passfileForeign.pattern.id,
  );
}

function isSound(findings: readonly Finding[]): boolean {
  return firstWrong(findings) === undefined;
}
