import { Kubectl } from './kubectl.ts';

const ofTheRun = ['pgpassd-e2e', 'workload-identity-e2e'];
const policyKinds = [
  'mutatingadmissionpolicybindings',
  'mutatingadmissionpolicies',
  'validatingadmissionpolicybindings',
  'validatingadmissionpolicies',
].join();

/**
 * Makes the namespace, and returns what removes it with everything that a run made, policies too.
 *
 * @throws when it is there: another run is under way, or was killed
 */
export async function openNamespace(
  kubectl: Kubectl,
  policies: boolean,
): Promise<() => Promise<void>> {
  const { stderr } = await kubectl.run(['create', 'namespace', kubectl.namespace], {
    expected: [0, 1],
  });
  if (stderr !== '') {
    throw new Error(
      `${stderr.trim()}. If no other run is under way, one was killed: remove what it left with` +
        ` "kubectl delete namespace ${kubectl.namespace}".`,
    );
  }
  // An interrupt must not keep us from it.
  const remover = new Kubectl(kubectl.namespace, new AbortController().signal);
  return async () => {
    // First the policies: nobody is to meet one whose namespace is half gone.
    if (policies) await remover.run(['delete', policyKinds, ...ofTheRun, '--ignore-not-found']);
    await remover.run(['delete', 'namespace', kubectl.namespace, '--timeout=180s']);
  };
}
