import { passfileForeign } from '../passfile/messages.ts';
import { defaultPassfile, findPassfile } from './files/passfile-at.ts';
import { withService } from './files/service-file.ts';
import { type Finding, firstWrong, isWrong } from './finding.ts';
import type { Scene } from './scene.ts';
import { checkAccessToken } from './steps/access-token.ts';
import { checkClocks } from './steps/clocks.ts';
import { checkDaemon, explains, findDaemon } from './steps/daemon.ts';
import { checkExchange } from './steps/exchange.ts';
import { checkFederatedToken } from './steps/federated-token.ts';
import { checkLogins } from './steps/login.ts';
import { checkLookup } from './steps/lookup.ts';
import { checkNetwork } from './steps/network.ts';
import { checkOverrides } from './steps/overrides.ts';
import { checkPassfile, silentPassfile } from './steps/passfile.ts';
import { checkSettings, sideOf } from './steps/settings.ts';
import { wantedEntries } from './wanted-entries.ts';

/** Everything there is to find, in the order in which one thing brings about the next. */
export async function examine(scene: Scene): Promise<readonly Finding[]> {
  const { passfile } = scene.reading.values;
  const silent = await silentPassfile(passfile ?? defaultPassfile(scene.env), scene);
  // Most of what follows would wait for the same volume.
  return silent === undefined ? await examineAll(scene) : [silent];
}

async function examineAll(scene: Scene): Promise<readonly Finding[]> {
  const named = await findPassfile(scene.reading.values.passfile);
  const daemon = await findDaemon(scene);
  const passfileExists = named !== undefined && named.found.kind !== 'missing';
  const side = sideOf(scene, passfileExists || daemon?.answer !== undefined);
  const passfile =
    named ?? (side === 'client' ? await findPassfile(defaultPassfile(scene.env)) : undefined);
  const settings = await checkSettings(scene, side);
  // The way to the authority comes first: its clock tells a token that has expired from a wrong clock.
  const network = await checkNetwork(scene);
  const { federated, usable, ...tokenFile } = await checkFederatedToken(scene, network.authority);
  const exchange = await checkExchange(scene, { usable, reached: network.reached });
  const wayToToken = [
    ...settings,
    ...tokenFile.findings,
    checkClocks(scene, federated, network.authority),
    ...network.findings,
    ...exchange.findings,
    ...checkAccessToken(scene, exchange.issued),
  ];
  const asClient: Scene = { ...scene, env: await withService(scene.env) };
  const entries = await wantedEntries(scene);
  const lookup = checkLookup(asClient, passfile, entries);
  const inPlace = withoutEcho(await checkPassfile(scene, side, passfile, daemon), lookup);
  const wayToServer = [...inPlace, ...lookup, ...(await checkOverrides(scene, side, passfile))];
  const beforehand = isSound(wayToToken) && explains(daemon, inPlace);
  return [
    ...wayToToken,
    ...(beforehand ? [checkDaemon(daemon, true)] : []),
    ...wayToServer,
    ...(beforehand ? [] : [checkDaemon(daemon, isSound([...wayToToken, ...wayToServer]))]),
    ...(await checkLogins(asClient, passfile, entries, exchange.issued)),
  ];
}

/** What a line does to clients says more than that pgpassd did not write it. */
function withoutEcho(inPlace: readonly Finding[], lookup: readonly Finding[]): readonly Finding[] {
  if (firstWrong(lookup)?.code !== 'passfile.overridden') return inPlace;
  return inPlace.filter(
    (finding) => !isWrong(finding) || finding.cause !== passfileForeign.pattern.id,
  );
}

function isSound(findings: readonly Finding[]): boolean {
  return firstWrong(findings) === undefined;
}
