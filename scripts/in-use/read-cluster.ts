import type * as v from "valibot";
import type { TrySend } from "../http/retry.ts";
import type { ClusterAccess } from "./cluster/access.ts";
import { listAll } from "./cluster/list.ts";
import { cronJobSchema, jobSchema, nodeSchema, podSchema, workloadSchema } from "./cluster/objects.ts";
import type { ClusterObjects } from "./collect-uses.ts";

/** A kind of objects that could not be listed. */
export interface ClusterFault {
  readonly kind: keyof ClusterObjects;
  readonly url: string;
  /** Half a sentence that goes on where the URL ends. */
  readonly reason: string;
  /** Whether the server refuses the account. */
  readonly isRefused: boolean;
}

/** Everything of a cluster that says which workload needs which image, and what of it could not be read. */
export interface ClusterReading {
  readonly objects: ClusterObjects;
  readonly faults: readonly ClusterFault[];
}

/** Lists all kinds, one after the other: a big cluster's API server has enough to do. */
export async function readCluster(send: TrySend, access: ClusterAccess): Promise<ClusterReading> {
  const faults: ClusterFault[] = [];
  const list = async <T>(kind: keyof ClusterObjects, path: string, schema: v.GenericSchema<unknown, T>) => {
    const listing = await listAll(send, access, { path, schema });
    if (listing.state === "listed") return listing.items;
    const { reason, isRefused } = listing;
    faults.push({ kind, url: `${access.server}${path}`, reason, isRefused });
    return [];
  };
  const objects = {
    nodes: await list("nodes", "/api/v1/nodes", nodeSchema),
    deployments: await list("deployments", "/apis/apps/v1/deployments", workloadSchema),
    statefulSets: await list("statefulSets", "/apis/apps/v1/statefulsets", workloadSchema),
    daemonSets: await list("daemonSets", "/apis/apps/v1/daemonsets", workloadSchema),
    cronJobs: await list("cronJobs", "/apis/batch/v1/cronjobs", cronJobSchema),
    // Owners come after what they own: the other way round, those that are made meanwhile would be missing.
    pods: await list("pods", "/api/v1/pods", podSchema),
    jobs: await list("jobs", "/apis/batch/v1/jobs", jobSchema),
    replicaSets: await list("replicaSets", "/apis/apps/v1/replicasets", workloadSchema),
  };
  return { objects, faults };
}
