import { findPassfile } from './files/passfile-at.ts';
import type { Finding } from './finding.ts';
import type { Scene } from './scene.ts';
import { checkAccessToken } from './steps/access-token.ts';
import { checkClocks } from './steps/clocks.ts';
import { checkDaemon, findDaemon } from './steps/daemon.ts';
import { checkExchange } from './steps/exchange.ts';
import { checkFederatedToken } from './steps/federated-token.ts';
import { checkLogins } from './steps/login.ts';
import { checkLookup } from './steps/lookup.ts';
import { checkNetwork } from './steps/network.ts';
import { checkOverrides } from './steps/overrides.ts';
import { checkPassfile } from './steps/passfile.ts';
import { checkSettings, sideOf } from './steps/settings.ts';

/** Everything there is to find, in the order in which one thing brings about the next. */
export async function examine(scene: Scene): Promise<readonly Finding[]> {
  const passfile = await findPassfile(scene.reading.values.passfile);
  const daemon = await findDaemon(scene);
  const passfileExists = passfile !== undefined && passfile.found.kind !== 'missing';
  const side = sideOf(scene, passfileExists || daemon?.answer !== undefined);
  const settings = await checkSettings(scene, side);
  // The way to the authority comes first: its clock tells a token that has expired from a wrong clock.
  const network = await checkNetwork(scene);
  const { federated, usable, ...tokenFile } = await checkFederatedToken(scene, network.authority);
  const exchange = await checkExchange(scene, { usable, reached: network.reached });
  const findings = [
    ...settings,
    ...tokenFile.findings,
    checkClocks(scene, federated, network.authority),
    ...network.findings,
    ...exchange.findings,
    ...checkAccessToken(scene, exchange.issued),
    ...(await checkPassfile(scene, side, passfile)),
    ...checkLookup(scene, passfile),
    ...(await checkOverrides(scene, side, passfile)),
  ];
  const sound = findings.every(({ mark }) => mark !== 'wrong');
  return [
    ...findings,
    checkDaemon(daemon, sound),
    ...(await checkLogins(scene, passfile, exchange.issued)),
  ];
}
