import type { Workload } from "../../contract/in-use-report.ts";
import type {
  KubernetesCronJob,
  KubernetesJob,
  KubernetesNode,
  KubernetesPod,
  KubernetesWorkload,
  PodSpec,
} from "./cluster/objects.ts";
import { platformsFor } from "./node-platforms.ts";
import { controllerOf, createOwnerOf, toWorkload } from "./owners.ts";

/** What was read of a cluster. */
export interface ClusterObjects {
  readonly nodes: readonly KubernetesNode[];
  readonly pods: readonly KubernetesPod[];
  readonly deployments: readonly KubernetesWorkload[];
  readonly statefulSets: readonly KubernetesWorkload[];
  readonly daemonSets: readonly KubernetesWorkload[];
  readonly replicaSets: readonly KubernetesWorkload[];
  readonly jobs: readonly KubernetesJob[];
  readonly cronJobs: readonly KubernetesCronJob[];
}

/** One image that one workload names. */
export interface ImageUse {
  /** As the workload names it. */
  readonly image: string;
  readonly workload: Workload;
  /** Platforms of the nodes that may run it. */
  readonly platforms: readonly string[];
  /** Whether it runs on all of these nodes, and not just on one of them. */
  readonly needsAll: boolean;
  /** Whether a new pod of the workload needs it. */
  readonly isNeeded: boolean;
}

/**
 * Which workload names which image: what the templates say, and what runs, such as a pod that something added a container
 * to. Old ReplicaSets and finished Jobs need nothing any more, but may be started again; ended Pods are left out.
 */
export function collectUses(objects: ClusterObjects): readonly ImageUse[] {
  const owner = createOwnerOf(objects);
  const uses = (spec: PodSpec, workload: Workload, isNeeded = true): readonly ImageUse[] =>
    imagesOf(spec).map((image) => ({
      image,
      workload,
      platforms: platformsFor(spec, objects.nodes),
      needsAll: workload.kind === "DaemonSet" && spec.nodeName === "",
      isNeeded,
    }));
  const templates = [
    ["Deployment", objects.deployments],
    ["StatefulSet", objects.statefulSets],
    ["DaemonSet", objects.daemonSets],
  ] as const;
  return merge([
    ...templates.flatMap(([kind, all]) =>
      all.flatMap(({ metadata, spec }) => uses(spec.template.spec, toWorkload(kind, metadata))),
    ),
    ...objects.replicaSets.flatMap(({ metadata, spec }) =>
      // What a ReplicaSet with a controller runs now is that controller's template, or a pod's.
      uses(spec.template.spec, owner("ReplicaSet", metadata), !controllerOf(metadata) && spec.replicas > 0),
    ),
    ...objects.cronJobs.flatMap(({ metadata, spec }) =>
      uses(spec.jobTemplate.spec.template.spec, toWorkload("CronJob", metadata)),
    ),
    ...objects.jobs.flatMap((job) =>
      uses(job.spec.template.spec, owner("Job", job.metadata), !isFinished(job)),
    ),
    ...objects.pods
      .filter((pod) => !hasEnded(pod))
      .flatMap(({ metadata, spec }) => uses(spec, owner("Pod", metadata))),
  ]);
}

function imagesOf({ containers, initContainers, ephemeralContainers, volumes }: PodSpec): readonly string[] {
  const all = [containers, initContainers, ephemeralContainers].flatMap((list) => list ?? []);
  const mounted = (volumes ?? []).map(({ image }) => image?.reference ?? "");
  return [...new Set([...all.map(({ image }) => image), ...mounted].filter((image) => image !== ""))];
}

function isFinished({ status }: KubernetesJob): boolean {
  return status.conditions.some(
    ({ type, status }) => (type === "Complete" || type === "Failed") && status === "True",
  );
}

/** Whether a pod will never run again. */
export function hasEnded({ status }: KubernetesPod): boolean {
  return status.phase === "Succeeded" || status.phase === "Failed";
}

/** Ten equal pods are one use. */
function merge(uses: readonly ImageUse[]): readonly ImageUse[] {
  const byContent = new Map(uses.map((use) => [JSON.stringify(use), use]));
  return [...byContent.values()];
}
