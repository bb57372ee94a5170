import { failure } from '../../support/failure.ts';

export const notInjected = failure('not-injected', 'config.invalid', () => ({
  found: 'no AZURE_* variable is set: the workload identity webhook did not touch this container',
  remedy:
    'Put the label azure.workload.identity/use: "true" on the pod template (not on the Deployment or Job), leave this container out of the annotation azure.workload.identity/skip-containers, name a service account with the annotation azure.workload.identity/client-id, and start the pod anew.',
}));

export const badSetting = failure<'problem'>('setting', 'config.invalid', ({ problem }) => ({
  found: `${problem}`,
  remedy:
    'Correct it where the container gets it from (env, args); pgpassd check --help shows every setting.',
}));
