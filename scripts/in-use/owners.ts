import type { Workload } from "../../contract/in-use-report.ts";
import type { Metadata } from "./cluster/objects.ts";
import type { ClusterObjects } from "./collect-uses.ts";

/** What owns an object, and has it made anew; undefined for one that stands alone. */
export function controllerOf({ ownerReferences }: Metadata): Metadata["ownerReferences"][number] | undefined {
  return ownerReferences.find(({ controller }) => controller);
}

export function toWorkload(
  kind: string,
  { namespace, name }: Pick<Metadata, "namespace" | "name">,
): Workload {
  return { namespace, kind, name };
}

/** The first in the chain of owners of an object, as a person knows it. */
export function createOwnerOf({
  replicaSets,
  jobs,
}: Pick<ClusterObjects, "replicaSets" | "jobs">): (kind: string, metadata: Metadata) => Workload {
  const between = new Map([...replicaSets, ...jobs].map(({ metadata }) => [metadata.uid, metadata]));
  return (kind, metadata) => {
    const { namespace } = metadata;
    let found = toWorkload(kind, metadata);
    let next = controllerOf(metadata);
    // A static pod belongs to its node, which is no workload.
    while (next && next.kind !== "Node") {
      found = { namespace, kind: next.kind, name: next.name };
      const above = between.get(next.uid);
      next = above && controllerOf(above);
    }
    return found;
  };
}

/** The workloads of some uses, each once, sorted. */
export function workloadsOf(uses: readonly { readonly workload: Workload }[]): readonly Workload[] {
  const byName = new Map(uses.map(({ workload }) => [workloadName(workload), workload]));
  return [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, workload]) => workload);
}

/** `namespace/kind/name` */
export function workloadName({ namespace, kind, name }: Workload): string {
  return `${namespace}/${kind}/${name}`;
}
