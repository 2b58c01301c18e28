import type { Finding, Problem } from "../../contract/finding.ts";
import type { InUseReason, Workload } from "../../contract/in-use-report.ts";
import type { Sentences } from "../report/describe-finding.ts";
import type { UnparsableImage } from "./list-images.ts";
import type { ClusterFault } from "./read-cluster.ts";

/** What is said about images in use: what is broken, for which workloads, and what to do. */

const mostNames = 5;

export function brokenImageSentences(
  image: string,
  reason: InUseReason,
  findings: readonly Finding[],
  workloads: readonly Workload[],
): Sentences {
  const [first] = findings;
  const hint = reason === "absent" ? absentHint : (first?.hint ?? "");
  const messages: Readonly<Record<InUseReason, string>> = {
    absent: `${image} is not in the registry, which answers 404.`,
    platform: first?.message ?? "",
    broken: `${image} is broken in the registry: ${first?.message ?? ""}`,
  };
  return {
    message: `${messages[reason]} ${listWorkloads(workloads)} cannot start a new pod.`,
    hint: `do not restart, drain or scale before it is back; ${hint}`,
  };
}

const absentHint =
  "on the registry's machine, regwarden scan DIR says whether its data survives; else push it again, or correct the name " +
  "in the workload.";

export function uncheckedImageProblem(
  image: string,
  { message, hint }: Sentences,
  workloads: readonly Workload[],
): Problem {
  return { message: `${image}, used by ${listWorkloads(workloads)}: ${message}`, hint };
}

export function unknownPlatformProblem(image: string, workloads: readonly Workload[]): Problem {
  return {
    message:
      `${image}, used by ${listWorkloads(workloads)}, could not be checked: the platform of none of the nodes that ` +
      "may run it is known.",
    hint: "see with kubectl get nodes that these nodes have registered.",
  };
}

export function noPlatformsProblem(): Problem {
  return {
    message:
      "The cluster lists no node whose platform is known, so no image could be checked for the platforms that it must " +
      "be there for.",
    hint:
      "see with kubectl get nodes that it is the right cluster (--kubeconfig, --context) and that its nodes have " +
      "registered.",
  };
}

export function noImagesProblem(registry: string, others: number): Problem {
  return {
    message:
      `No workload of the cluster names an image of ${registry}, and ${others} images of other registries are named: ` +
      "nothing was checked.",
    hint:
      "see that --registry is written as workloads write it, HOST[:PORT], and that it is the right cluster " +
      "(--kubeconfig, --context); leave out a registry that this cluster does not use.",
  };
}

export function clusterProblem({ url, reason, isRefused }: ClusterFault): Problem {
  return {
    message: `The cluster could not be read completely: ${url}: ${reason}, so workloads are missing here.`,
    hint: isRefused
      ? "let the account list that kind in all namespaces (the ClusterRole of regwarden in-use), and see that its token has not expired."
      : "see that the API server can be reached from here and shows a certificate of the authority that was given.",
  };
}

export function unparsableImageProblem({ image, reason }: UnparsableImage): Problem {
  return {
    message: `A workload names ${image} as an image, which no node can pull: ${reason}.`,
    hint: "correct the image in the workload.",
  };
}

function listWorkloads(workloads: readonly Workload[]): string {
  const names = workloads.map(({ namespace, kind, name }) => `${kind} ${namespace}/${name}`);
  const shown = names.slice(0, mostNames).join(", ");
  return names.length > mostNames ? `${shown} and ${names.length - mostNames} more` : shown;
}
