import type { Finding, Problem } from "../../contract/finding.ts";
import type { InUseReason, Workload } from "../../contract/in-use-report.ts";
import type { Sentences } from "../report/describe-finding.ts";

/** What is said about images in use: what is broken, for which workloads, and what to do. */

const mostNames = 5;

export function brokenImageSentences(
  image: string,
  reason: InUseReason,
  findings: readonly Finding[],
  workloads: readonly Workload[],
): Sentences {
  const [first] = findings;
  const messages: Readonly<Record<InUseReason, string>> = {
    absent: `${image} is not in the registry.`,
    platform: first?.message ?? "",
    broken: `${image} is broken in the registry: ${first?.message ?? ""}`,
  };
  return {
    message: `${messages[reason]} ${listWorkloads(workloads)} cannot start a new pod.`,
    hint: `do not restart, drain or scale before it is back; ${first?.hint ?? ""}`,
  };
}

export function uncheckedImageProblem(
  image: string,
  { message, hint }: Sentences,
  workloads: readonly Workload[],
): Problem {
  return { message: `${image}, which ${listWorkloads(workloads)} needs: ${message}`, hint };
}

export function listWorkloads(workloads: readonly Workload[]): string {
  const names = workloads.map(({ namespace, kind, name }) => `${kind} ${namespace}/${name}`);
  const shown = names.slice(0, mostNames).join(", ");
  return names.length > mostNames ? `${shown} and ${names.length - mostNames} more` : shown;
}

export function clusterProblem(fault: string): Problem {
  const isRefused = /answers 40[13]/.test(fault);
  return {
    message: `The cluster could not be asked: ${fault}, so workloads are missing here.`,
    hint: isRefused
      ? "let the account list that kind in all namespaces (the ClusterRole of regwarden in-use), and see that its token is not old."
      : "see that the API server can be reached from here and shows a certificate of the authority that was given.",
  };
}

export function unparsableImageProblem(text: string): Problem {
  return { message: `A workload names an image that is unparsable: ${text}.`, hint: "correct the workload." };
}
