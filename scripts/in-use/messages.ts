import type { InUseReason, Workload } from "../../contract/in-use-report.ts";
import type { VerifyFinding } from "../../contract/verify-report.ts";
import { nextMark } from "../graph/messages.ts";

/** What is told about images in use: what is broken, for whom, and after the mark what to do. */

const mostNames = 5;

export function brokenImageMessage(
  image: string,
  reason: InUseReason,
  findings: readonly VerifyFinding[],
  workloads: readonly Workload[],
): string {
  const [first] = findings;
  const [what = "", next = ""] = (first?.message ?? "").split(nextMark);
  const whats: Readonly<Record<InUseReason, string>> = {
    absent: `${image} is not in the registry.`,
    platform: what,
    broken: `${image} is broken in the registry: ${what}`,
  };
  return (
    `${whats[reason]} ${listWorkloads(workloads)} cannot start a new pod.${nextMark}do not restart, drain or scale ` +
    `before it is back; ${next}`
  );
}

export function unreadableImageMessage(
  image: string,
  message: string,
  workloads: readonly Workload[],
): string {
  return `${image}, which ${listWorkloads(workloads)} needs: ${message}`;
}

export function listWorkloads(workloads: readonly Workload[]): string {
  const names = workloads.map(({ namespace, kind, name }) => `${kind} ${namespace}/${name}`);
  const shown = names.slice(0, mostNames).join(", ");
  return names.length > mostNames ? `${shown} and ${names.length - mostNames} more` : shown;
}

export function clusterFaultMessage(fault: string): string {
  const next = /answers 40[13]/.test(fault)
    ? "let the account list that kind in all namespaces (the ClusterRole of regwarden in-use), and see that its token is not old."
    : "see that the API server can be reached from here and shows a certificate of the authority that was given.";
  return `The cluster could not be asked: ${fault}, so workloads are missing here.${nextMark}${next}`;
}

export function nonsenseMessage(text: string): string {
  return `A workload names an image that is none: ${text}.${nextMark}correct the workload.`;
}
