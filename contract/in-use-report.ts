import type { Finding, Problem } from "./finding.ts";

/**
 * The document that `regwarden in-use --json` writes, version 1. Keys are always present. It lists all images of the
 * asked registries that the cluster names, broken or not: retention and the collector keep what it names, and only trust
 * it when `complete` is true. The cluster was read at the beginning of the run, `durationSeconds` before `finishedAt`.
 */
export const inUseReportSchema = "regwarden/in-use/v1";

/** What needs an image. Of a chain of owners, the first: a Deployment, and neither its ReplicaSet nor its Pods. */
export interface Workload {
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
}

/**
 * `absent`: the registry has nothing under this name. `platform`: it offers nothing that the nodes of the workload can
 * run. `broken`: what it offers them is not complete. In order of weight.
 */
export const inUseReasons = ["absent", "platform", "broken"] as const;
export type InUseReason = (typeof inUseReasons)[number];

/** `complete`: all that the nodes need of it is there. `unchecked`: that could not be found out. */
export type InUseState = InUseReason | "complete" | "unchecked";

/**
 * An image of an asked registry, by one of its names. Named by: Deployments, StatefulSets, DaemonSets, ReplicaSets, Jobs
 * and CronJobs, scaled down, suspended and finished ones included; Pods that have not ended, and the statuses of these;
 * for containers of each sort and for image volumes.
 * Not by: ended Pods, other kinds without Pods, and the ControllerRevisions of former templates.
 */
export interface UsedImage {
  /** As the workloads or the nodes name it. */
  readonly image: string;
  /** HOST[:PORT] of it. */
  readonly registry: string;
  readonly repository: string;
  /** `latest` where neither tag nor digest is named; null beside a digest without a tag. */
  readonly tag: string | null;
  /** That it is pinned to; else where the tag leads now, null when it leads nowhere or could not be read. */
  readonly digest: string | null;
  /**
   * Digests that the nodes pulled for containers of this image, sorted: a tag may have been overwritten since. One of
   * them may belong to another repository that has the same content. Empty before the first pull, and for an image that
   * was loaded onto its node.
   */
  readonly digests: readonly string[];
  /** Sorted. */
  readonly workloads: readonly Workload[];
  /**
   * Whether a new pod of one of them needs it. Else only old ReplicaSets, finished Jobs or the statuses of Pods name it:
   * whatever its state, it is neither counted nor among `broken`, but a rollback may need it.
   */
  readonly isNeeded: boolean;
  /** The gravest of all its workloads. */
  readonly state: InUseState;
}

/** An image that a workload needs and cannot get. */
export interface BrokenImage {
  /** As the workloads name it. */
  readonly image: string;
  /** HOST[:PORT] of it. */
  readonly registry: string;
  readonly reason: InUseReason;
  /** Those that cannot start a new pod, sorted. */
  readonly workloads: readonly Workload[];
  readonly findings: readonly Finding[];
  /** What is broken, and which workloads cannot start. */
  readonly message: string;
  /** What to do about it. */
  readonly hint: string;
}

export interface InUseRegistry {
  readonly name: string;
  /** Images that workloads need and that were checked. */
  readonly images: number;
  /** Workloads that need an image of it. */
  readonly workloads: number;
  readonly requests: number;
  /** False when anything of it, or of the cluster, could not be checked. */
  readonly complete: boolean;
}

export interface InUseReport {
  readonly schema: typeof inUseReportSchema;
  /** End of the run, ISO 8601, UTC. */
  readonly finishedAt: string;
  readonly durationSeconds: number;
  /** True only when the cluster was read completely, and each registry has images in use, all of them checked. */
  readonly complete: boolean;
  /** `os/architecture` of the cluster's nodes, sorted. */
  readonly platforms: readonly string[];
  readonly registries: readonly InUseRegistry[];
  /** All images of these registries, sorted by name. */
  readonly images: readonly UsedImage[];
  /** Images of other registries, which were not checked. */
  readonly otherImages: number;
  readonly broken: readonly BrokenImage[];
  /** What could not be checked. */
  readonly problems: readonly Problem[];
}

/**
 * As an artifact in a registry: an image manifest of this artifact type, whose only layer, of the same media type, is the
 * document.
 */
export const inUseArtifactType = "application/vnd.regwarden.in-use.v1+json";
