import { cause } from '../../support/cause.ts';

export const notInjected = cause(
  'not-injected',
  'config.invalid',
  'no AZURE_* variable is set: the workload identity webhook did not touch this container',
  'Put the label azure.workload.identity/use: "true" on the pod template (not on the Deployment or Job), leave this container out of the annotation azure.workload.identity/skip-containers, name a service account with the annotation azure.workload.identity/client-id, and start the pod anew.',
);

export const badSetting = cause(
  'setting',
  'config.invalid',
  '{problem}',
  'Correct it where the container gets it from (env, args); pgpassd check --help shows every setting.',
);
