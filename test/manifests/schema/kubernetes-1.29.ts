import type { Deployment, StatefulSet } from 'kubernetes-types/apps/v1.js';
import type { CronJob, Job } from 'kubernetes-types/batch/v1.js';
import type { ConfigMap, Pod, ServiceAccount } from 'kubernetes-types/core/v1.js';

/** What Kubernetes 1.29 takes, after the OpenAPI document of that release. */
export interface Kinds {
  'v1 ConfigMap': ConfigMap;
  'v1 Pod': Pod;
  'v1 ServiceAccount': ServiceAccount;
  'apps/v1 Deployment': Deployment;
  'apps/v1 StatefulSet': StatefulSet;
  'batch/v1 CronJob': CronJob;
  'batch/v1 Job': Job;
}
