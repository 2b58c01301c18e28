import { ensureOuterImage } from "../../images/stack-images.ts";
import { LabError } from "../../machine/errors.ts";
import type { Instance } from "../../machine/instances.ts";
import type { StepOptions } from "../../machine/run.ts";
import { accessOf, KubernetesClient } from "../kubernetes-client.ts";
import { getsToken, type TokenSource, withToken, withTokenVolume } from "./admission.ts";
import { onlyContainer } from "./arguments.ts";
import { type PodResult, type PodSettings, runPod } from "./container.ts";
import { refuseUnknownFields } from "./fields.ts";
import { readObjects } from "./objects.ts";
import { openService } from "./service.ts";
import type { CronJob, JobSpec, PodIdentity, PodSpec } from "./template.ts";

/** For a pod whose template names no deadline. */
const usualLimitSeconds = 900;

/** The pods of a job: one, or one for each index. */
export function podsOf(cronJob: CronJob): PodIdentity[] {
  const { name, namespace } = cronJob.metadata;
  const { completionMode, completions = 1 } = cronJob.spec.jobTemplate.spec;
  if (completionMode !== "Indexed") return [{ name, namespace }];
  return Array.from({ length: completions }, (_, index) => ({ name: `${name}-${index}`, namespace, index }));
}

function limitOf({ activeDeadlineSeconds, template }: JobSpec): number {
  const limits = [activeDeadlineSeconds, template.spec.activeDeadlineSeconds];
  return Math.min(...limits.map((limit) => limit ?? usualLimitSeconds));
}

/** The CronJob as the API server has it. Errors: E_MISSING. */
async function readCronJob(client: KubernetesClient, namespace: string, name: string): Promise<CronJob> {
  const found = await client.get(`/apis/batch/v1/namespaces/${namespace}/cronjobs/${name}`);
  if (found !== undefined) return found as unknown as CronJob;
  throw new LabError("E_MISSING", `the cluster has no CronJob ${name} in ${namespace}`, {
    hint: 'Deploy it: "npm run up".',
  });
}

/** Runs the pods, one after another; those that ask the API server each get a token of their own and a way to it. */
async function runPods(
  instance: Instance,
  spec: PodSpec,
  pods: readonly PodIdentity[],
  source: TokenSource,
  settings: PodSettings,
): Promise<PodResult[]> {
  const objects = await readObjects(source.client, source.namespace, spec);
  const results: PodResult[] = [];
  if (!(await getsToken(source, spec))) {
    for (const pod of pods) results.push(await runPod(instance, spec, pod, objects, settings));
    return results;
  }
  const admitted = withTokenVolume(spec);
  const service = await openService(instance);
  try {
    for (const pod of pods) {
      const own = await withToken(source, spec, objects);
      const around = { ...settings, services: service.variables };
      results.push(await runPod(instance, admitted, pod, own, around));
    }
    return results;
  } finally {
    await service.close();
  }
}

/**
 * Runs the pods of a CronJob once, now, one after another, exactly as its template says: what a kubelet does, on the
 * machine's Docker engine. A pod that fails is a result. A suspended CronJob runs too, as `kubectl create job --from`.
 *
 * Errors: E_UNSUPPORTED for a template that the lab cannot run as a cluster would; E_MISSING.
 */
export async function runCronJob(
  instance: Instance,
  namespace: string,
  name: string,
  options: StepOptions = {},
): Promise<PodResult[]> {
  const access = accessOf(instance);
  if (access === undefined)
    throw new LabError("E_MISSING", "the lab has no cluster", { hint: "npm run lab" });
  const client = new KubernetesClient(access);
  const cronJob = await readCronJob(client, namespace, name);
  const job = cronJob.spec.jobTemplate.spec;
  refuseUnknownFields(job.template);
  const { spec } = job.template;
  const image = await ensureOuterImage(onlyContainer(spec).image, options);
  const limitSeconds = limitOf(job);
  const source = { client, access, namespace, limitSeconds };
  return runPods(instance, spec, podsOf(cronJob), source, { ...options, image, limitSeconds });
}
