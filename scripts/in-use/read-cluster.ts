import type * as v from "valibot";
import type { TrySend } from "../http/retry.ts";
import type { ClusterAccess } from "./cluster/access.ts";
import { listAll } from "./cluster/list.ts";
import { cronJobSchema, jobSchema, nodeSchema, podSchema, workloadSchema } from "./cluster/objects.ts";
import type { ClusterObjects } from "./collect-uses.ts";

/** Everything of a cluster that says who needs which image, and what of it could not be read. */
export interface ClusterReading {
  readonly objects: ClusterObjects;
  /** One sentence each. */
  readonly faults: readonly string[];
}

/** Lists all kinds, one after the other: a big cluster's API server has enough to do. */
export async function readCluster(send: TrySend, access: ClusterAccess): Promise<ClusterReading> {
  const faults: string[] = [];
  const list = async <T>(path: string, schema: v.GenericSchema<unknown, T>): Promise<readonly T[]> => {
    const listing = await listAll(send, access, { path, schema });
    if (listing.state === "listed") return listing.items;
    faults.push(`${access.server}${path}: ${listing.reason}`);
    return [];
  };
  const objects = {
    nodes: await list("/api/v1/nodes", nodeSchema),
    deployments: await list("/apis/apps/v1/deployments", workloadSchema),
    statefulSets: await list("/apis/apps/v1/statefulsets", workloadSchema),
    daemonSets: await list("/apis/apps/v1/daemonsets", workloadSchema),
    cronJobs: await list("/apis/batch/v1/cronjobs", cronJobSchema),
    // Owners come after what they own: the other way round, those that are made meanwhile would be missing.
    pods: await list("/api/v1/pods", podSchema),
    jobs: await list("/apis/batch/v1/jobs", jobSchema),
    replicaSets: await list("/apis/apps/v1/replicasets", workloadSchema),
  };
  return { objects, faults };
}
