import type { V1Job } from 'kubernetes-1.36/dist/gen/models/V1Job.js';
import { refusalsOf, tallyLogins } from '../observations.ts';
import { watchUntil } from '../watching.ts';
import { type Pod, statusOf } from './pods.ts';
import type { Play, Stage } from './scenario.ts';

/** The long job's reports take 72 s, and its tokens live for 20 s. */
const TOKENS_OF_THE_LONG_JOB = 4;

export const longJob: Play = async (stage) => {
  await stage.apply('cronjob');
  await createJob(stage, 'long', 'my-long-job');
  await waitForJob(stage, 'long', 'Complete');
  const { exitCode } = endOf(await podOf(stage, 'long'), 'pgpassd');
  if (exitCode !== 0) throw new Error(`the sidecar of a completed job ended with ${exitCode}`);
  // Twelve are its own, one a month.
  const { count, tokens } = tallyLogins(stage.observations.all, 'appdb');
  if (tokens < TOKENS_OF_THE_LONG_JOB) throw new Error(`the job had ${tokens} tokens only`);
  return `completed; appdb saw ${count} connects with ${tokens} tokens, none refused`;
};

export const shortJob: Play = async (stage) => {
  await stage.apply('cronjob');
  await createJob(stage, 'short', 'my-short-job');
  await waitForJob(stage, 'short', 'Complete');
  const pod = await podOf(stage, 'short');
  const once = endOf(pod, 'pgpassd');
  const job = endOf(pod, 'job');
  if (job.startedMs < once.finishedMs) throw new Error('the job started before once had ended');
  return `completed; once took ${(once.finishedMs - once.startedMs) / 1000} s before the job`;
};

/** Entra refuses what it does not know; a new federated credential may yet spread. */
export const jobOfAStranger: Play = async (stage) => {
  await stage.apply('cronjob');
  await stage.apply('stranger');
  await createJob(stage, 'strange', 'my-short-job', (job) => {
    const { spec } = job.spec?.template ?? {};
    if (job.spec === undefined || spec == null) throw new Error('the job has no pod template');
    job.spec.backoffLimit = 0;
    spec.serviceAccountName = 'stranger-my-app';
    spec.initContainers?.[0]?.env?.push({ name: 'PGPASSD_TIMEOUT', value: '10s' });
  });
  const reason = await waitForJob(stage, 'strange', 'Failed');
  if (reason !== 'BackoffLimitExceeded') throw new Error(`the job failed with ${reason}`);
  const pod = await podOf(stage, 'strange');
  const { exitCode } = endOf(pod, 'pgpassd');
  if (exitCode !== 4) throw new Error(`once ended with ${exitCode}, and should with 4`);
  if (statusOf(pod, 'job').state?.waiting === undefined) throw new Error('the job was started');
  const subject = `system:serviceaccount:${stage.kubectl.namespace}:stranger-my-app`;
  const [code] = refusalsOf(stage.observations.all, subject);
  return `exit code 4 after AADSTS${code}, the job's container was never started`;
};

/** Exit code 2, which podFailurePolicy knows. */
export const misconfiguredJob: Play = async (stage) => {
  await stage.apply('cronjob');
  await createJob(stage, 'misconfigured', 'my-short-job', (job) => {
    const [pgpassd] = job.spec?.template.spec?.initContainers ?? [];
    pgpassd?.env?.push({ name: 'PGPASSD_MODE', value: '0640' });
  });
  const reason = await waitForJob(stage, 'misconfigured', 'Failed');
  if (reason !== 'PodFailurePolicy') throw new Error(`the job failed with ${reason}`);
  return 'failed at once, by its podFailurePolicy';
};

/** As the CronJob would, but that the CronJob does not remove it when another one fails. */
async function createJob(
  { kubectl }: Stage,
  name: string,
  cronJob: string,
  change: (job: V1Job) => void = () => {},
): Promise<void> {
  const from = ['create', 'job', name, `--from=cronjob/${cronJob}`, '--dry-run=client'];
  const job = await kubectl.json<V1Job>(from);
  delete job.metadata?.ownerReferences;
  change(job);
  await kubectl.run(['create', '--filename=-'], { input: JSON.stringify(job) });
}

/** Returns the reason that the condition has, if any. */
async function waitForJob(
  { kubectl }: Stage,
  name: string,
  condition: 'Complete' | 'Failed',
): Promise<string> {
  const selector = `--field-selector=metadata.name=${name}`;
  return watchUntil<V1Job, string>(
    kubectl,
    ['jobs', selector],
    ({ object }) => {
      const met = object.status?.conditions?.filter(({ status }) => status === 'True') ?? [];
      const over = met.find(({ type }) => type === 'Complete' || type === 'Failed');
      if (over === undefined) return undefined;
      if (over.type === condition) return over.reason ?? '';
      throw new Error(`the job ${name} is ${over.type}: ${over.reason} ${over.message}`);
    },
    { what: `the job ${name} to be ${condition}`, timeoutMs: 300_000 },
  );
}

async function podOf({ kubectl }: Stage, job: string): Promise<Pod> {
  const selector = `--selector=batch.kubernetes.io/job-name=${job}`;
  const { items } = await kubectl.json<{ items: Pod[] }>(['get', 'pods', selector]);
  const [pod, ...more] = items;
  if (pod === undefined || more.length > 0) throw new Error(`${job} has ${items.length} pods`);
  return pod;
}

interface End {
  readonly exitCode: number;
  readonly startedMs: number;
  readonly finishedMs: number;
}

function endOf(pod: Pod, container: string): End {
  const { terminated } = statusOf(pod, container).state ?? {};
  if (terminated?.startedAt === undefined || terminated.finishedAt === undefined) {
    throw new Error(`${container} has not ended`);
  }
  return {
    exitCode: terminated.exitCode,
    startedMs: new Date(terminated.startedAt).getTime(),
    finishedMs: new Date(terminated.finishedAt).getTime(),
  };
}
