import { diagnose } from './diagnose.ts';
import { Kubectl } from './kubectl.ts';
import { renderOverlay } from './manifests.ts';
import { openNamespace } from './namespace.ts';
import { Observations } from './observations.ts';
import type { Options } from './options.ts';
import { raiseAzure } from './raise-azure.ts';
import { component } from './scenarios/component.ts';
import { hasPolicies, inject } from './scenarios/inject.ts';
import { jobOfAStranger, longJob, misconfiguredJob, shortJob } from './scenarios/jobs.ts';
import type { Scenario, Stage } from './scenarios/scenario.ts';
import { sidecar } from './scenarios/sidecar.ts';
import { stranger } from './scenarios/stranger.ts';

/** Also whom the admission policies are in force for: see overlays/inject. */
const NAMESPACE = 'pgpassd-e2e';

const everywhere: readonly Scenario[] = [
  { name: 'manifests/sidecar', play: sidecar },
  { name: 'manifests/sidecar, under a wrong identity', play: stranger },
  { name: 'manifests/cronjob, the long job', play: longJob },
  { name: 'manifests/cronjob, the short job', play: shortJob },
  { name: 'manifests/cronjob, under a wrong identity', play: jobOfAStranger },
  { name: 'manifests/cronjob, with a wrong setting', play: misconfiguredJob },
  { name: 'manifests/components/pgpassd', play: component },
];
const withPolicies: Scenario = { name: 'manifests/inject', play: inject };

export interface EndToEndOptions extends Options {
  readonly interrupted: AbortSignal;
  readonly say: (text: string) => void;
}

/** Returns whether all went well. */
export async function runEndToEnd(options: EndToEndOptions): Promise<boolean> {
  const { images, requireInject, interrupted, say } = options;
  const kubectl = new Kubectl(NAMESPACE, interrupted);
  const { stdout: versions } = await kubectl.run(['version']);
  say(versions.trim());
  const policies = await hasPolicies(kubectl);
  if (!policies && requireInject) {
    throw new Error('this cluster has no MutatingAdmissionPolicy in version v1');
  }
  const close = await openNamespace(kubectl, policies);
  try {
    say('starting Entra and PostgreSQL');
    await raiseAzure(kubectl, images);
    const observations = new Observations();
    const ended = new AbortController();
    const log = kubectl.lines(['logs', 'deployment/azure', '--follow'], ended.signal);
    const logEnded = observations.read(log).then(() => {
      throw new Error("the log of Azure's stand-in ended");
    });
    const stage: Stage = {
      kubectl,
      observations,
      apply: async (overlay) => kubectl.apply(await renderOverlay(overlay, images)),
    };
    const scenarios = policies ? [...everywhere, withPolicies] : everywhere;
    say(`playing ${scenarios.length} scenarios at once`);
    const plays = Promise.all(scenarios.map((each) => playAndTell(each, stage, say)));
    const outcomes = await Promise.race([plays, logEnded]);
    ended.abort();
    if (!policies) say(`left out: ${withPolicies.name}, which needs Kubernetes 1.36`);
    const well = outcomes.every(Boolean);
    if (!well) say(await diagnose(kubectl));
    return well;
  } catch (error) {
    if (!interrupted.aborted) say(await diagnose(kubectl));
    throw error;
  } finally {
    say('cleaning up');
    await close();
  }
}

async function playAndTell(
  { name, play }: Scenario,
  stage: Stage,
  say: (text: string) => void,
): Promise<boolean> {
  const beganMs = Date.now();
  const seconds = () => `${Math.round((Date.now() - beganMs) / 1000)} s`;
  try {
    const saw = await play(stage);
    say(`ok: ${name} (${seconds()}): ${saw}`);
    return true;
  } catch (error) {
    say(`FAILED: ${name} (${seconds()}): ${error instanceof Error ? error.message : error}`);
    return false;
  }
}
