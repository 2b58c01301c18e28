import type { KubernetesNode, PodSpec, Requirement } from "./cluster/objects.ts";

/** `os/architecture` of some nodes, sorted. A node that has not registered yet says neither. */
export function platformsOf(nodes: readonly KubernetesNode[]): readonly string[] {
  const known = nodes.flatMap(({ status: { nodeInfo } }) => {
    const { operatingSystem, architecture } = nodeInfo;
    return operatingSystem === "" || architecture === "" ? [] : [`${operatingSystem}/${architecture}`];
  });
  return [...new Set(known)].sort();
}

/**
 * Platforms of the nodes on which a pod may run, sorted: of its own node, once it has one; else of all nodes that its
 * selector and its required affinity allow. Where no node fits now, of all: one that is added later needs the image too.
 * Empty when the platform of none of these nodes is known.
 *
 * Source: Kubernetes documentation, "Assigning Pods to Nodes". Taints are left out: they change no platform.
 */
export function platformsFor(spec: PodSpec, nodes: readonly KubernetesNode[]): readonly string[] {
  const own = nodes.filter(({ metadata }) => metadata.name === spec.nodeName);
  const fitting = own.length > 0 ? own : nodes.filter((node) => fits(spec, node));
  return platformsOf(fitting.length > 0 ? fitting : nodes);
}

function fits({ nodeSelector, affinity }: PodSpec, { metadata: { name, labels } }: KubernetesNode): boolean {
  const isSelected = Object.entries(nodeSelector).every(([key, value]) => labels[key] === value);
  const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  if (!isSelected || !terms) return isSelected;
  return terms.some(
    ({ matchExpressions, matchFields }) =>
      matchExpressions.length + matchFields.length > 0 &&
      matchExpressions.every((one) => isMet(one, labels[one.key])) &&
      matchFields.every((one) => isMet(one, one.key === "metadata.name" ? name : undefined)),
  );
}

function isMet({ operator, values }: Requirement, actual: string | undefined): boolean {
  const [bound = ""] = values;
  switch (operator) {
    case "In":
      return actual !== undefined && values.includes(actual);
    case "NotIn":
      return actual === undefined || !values.includes(actual);
    case "Exists":
      return actual !== undefined;
    case "DoesNotExist":
      return actual === undefined;
    case "Gt":
      return Number(actual) > Number(bound);
    case "Lt":
      return Number(actual) < Number(bound);
    default:
      // An operator that is not known excludes no node.
      return true;
  }
}
