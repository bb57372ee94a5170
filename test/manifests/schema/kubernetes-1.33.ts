import type { V1ConfigMap } from 'kubernetes-1.33/dist/gen/models/V1ConfigMap.js';
import type { V1CronJob } from 'kubernetes-1.33/dist/gen/models/V1CronJob.js';
import type { V1Deployment } from 'kubernetes-1.33/dist/gen/models/V1Deployment.js';
import type { V1Job } from 'kubernetes-1.33/dist/gen/models/V1Job.js';
import type { V1Pod } from 'kubernetes-1.33/dist/gen/models/V1Pod.js';
import type { V1ServiceAccount } from 'kubernetes-1.33/dist/gen/models/V1ServiceAccount.js';
import type { V1StatefulSet } from 'kubernetes-1.33/dist/gen/models/V1StatefulSet.js';

/** What Kubernetes 1.33 takes, after the OpenAPI document of that release. */
export interface Kinds {
  'v1 ConfigMap': V1ConfigMap;
  'v1 Pod': V1Pod;
  'v1 ServiceAccount': V1ServiceAccount;
  'apps/v1 Deployment': V1Deployment;
  'apps/v1 StatefulSet': V1StatefulSet;
  'batch/v1 CronJob': V1CronJob;
  'batch/v1 Job': V1Job;
}
