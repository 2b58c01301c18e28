import type { Workload } from "../../contract/in-use-report.ts";
import type {
  KubernetesCronJob,
  KubernetesJob,
  KubernetesNode,
  KubernetesPod,
  KubernetesWorkload,
  Metadata,
  PodSpec,
} from "./cluster/objects.ts";
import { platformsFor } from "./node-platforms.ts";

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

/** One need of one workload for one image. */
export interface ImageUse {
  /** As the workload names it. */
  readonly image: string;
  readonly workload: Workload;
  /** Platforms of the nodes that may run it. */
  readonly platforms: readonly string[];
  /** Whether it runs on all of these nodes, and not just on one of them. */
  readonly needsAll: boolean;
}

/**
 * Which workload needs which image: what the templates say, and what runs, such as a pod that something added a container
 * to. Old ReplicaSets, finished Jobs and ended Pods need nothing any more.
 */
export function collectUses(objects: ClusterObjects): readonly ImageUse[] {
  const { nodes } = objects;
  const owner = createOwnerOf(objects);
  const uses = (spec: PodSpec, workload: Workload) =>
    imagesOf(spec).map((image) => ({
      image,
      workload,
      platforms: platformsFor(spec, nodes),
      needsAll: workload.kind === "DaemonSet" && spec.nodeName === "",
    }));
  const templates = [
    ["Deployment", objects.deployments],
    ["StatefulSet", objects.statefulSets],
    ["DaemonSet", objects.daemonSets],
  ] as const;
  const bareSets = objects.replicaSets.filter(
    ({ metadata, spec }) => !controllerOf(metadata) && spec.replicas > 0,
  );
  return merge([
    ...templates.flatMap(([kind, all]) =>
      all.flatMap(({ metadata, spec }) => uses(spec.template.spec, toWorkload(kind, metadata))),
    ),
    ...bareSets.flatMap(({ metadata, spec }) => uses(spec.template.spec, toWorkload("ReplicaSet", metadata))),
    ...objects.cronJobs.flatMap(({ metadata, spec }) =>
      uses(spec.jobTemplate.spec.template.spec, toWorkload("CronJob", metadata)),
    ),
    ...objects.jobs
      .filter((job) => !isFinished(job))
      .flatMap(({ metadata, spec }) => uses(spec.template.spec, owner("Job", metadata))),
    ...objects.pods
      .filter(({ status }) => status.phase !== "Succeeded" && status.phase !== "Failed")
      .flatMap(({ metadata, spec }) => uses(spec, owner("Pod", metadata))),
  ]);
}

function imagesOf({ containers, initContainers, ephemeralContainers }: PodSpec): readonly string[] {
  const all = [containers, initContainers, ephemeralContainers].flatMap((list) => list ?? []);
  return [...new Set(all.map(({ image }) => image).filter((image) => image !== ""))];
}

function controllerOf({ ownerReferences }: Metadata): Metadata["ownerReferences"][number] | undefined {
  return ownerReferences.find(({ controller }) => controller);
}

function toWorkload(kind: string, { namespace, name }: Pick<Metadata, "namespace" | "name">): Workload {
  return { namespace, kind, name };
}

/** The first in the chain of owners of an object, as a person knows it. */
function createOwnerOf({
  replicaSets,
  jobs,
}: ClusterObjects): (kind: string, metadata: Metadata) => Workload {
  const between = new Map([...replicaSets, ...jobs].map(({ metadata }) => [metadata.uid, metadata]));
  return (kind, metadata) => {
    const { namespace } = metadata;
    let found = toWorkload(kind, metadata);
    let next = controllerOf(metadata);
    // A pod of the kubelet's own belongs to its node, which is nobody's workload.
    while (next && next.kind !== "Node") {
      found = { namespace, kind: next.kind, name: next.name };
      const above = between.get(next.uid);
      next = above && controllerOf(above);
    }
    return found;
  };
}

function isFinished({ status }: KubernetesJob): boolean {
  return status.conditions.some(
    ({ type, status }) => (type === "Complete" || type === "Failed") && status === "True",
  );
}

/** Ten equal pods are one need. */
function merge(uses: readonly ImageUse[]): readonly ImageUse[] {
  const byContent = new Map(uses.map((use) => [JSON.stringify(use), use]));
  return [...byContent.values()];
}
