import type { Finding, Problem } from "./finding.ts";

/** The document that `regwarden in-use --json` writes, version 1. Keys are always present. */
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
  /** Images in use that were checked, and workloads that need them. */
  readonly images: number;
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
  readonly complete: boolean;
  /** `os/architecture` of the cluster's nodes, sorted. */
  readonly platforms: readonly string[];
  readonly registries: readonly InUseRegistry[];
  /** Images of other registries, which were not checked. */
  readonly otherImages: number;
  readonly broken: readonly BrokenImage[];
  /** What could not be checked. */
  readonly problems: readonly Problem[];
}
