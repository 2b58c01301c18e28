import type { Finding, FindingCause } from "../../contract/scan-report.ts";
import { shortDigest } from "../registry/digest.ts";
import type { Unreadable } from "../source/source.ts";
import { listTags, nextMark } from "./messages.ts";

/** What findings say about a registry that is asked from outside: nobody there knows what its disk still holds. */

export function notLookedAtMessage({ location, reason, kind }: Unreadable): string {
  return `${location} ${describeReason(reason)}, so nothing is known about it.${nextMark}${nextForFault(kind)}`;
}

function describeReason(reason: string): string {
  // Reasons of the HTTP reader are phrases or codes; phrases go on where the address ends.
  return /^(answers|names|not asked)/.test(reason) ? reason : `could not be looked at (${reason})`;
}

function nextForFault(kind: Unreadable["kind"]): string {
  if (kind === "unauthorised")
    return "see that REG_USER and REG_PASS are those of the registry's htpasswd or token server, then probe again.";
  if (kind === "unavailable")
    return "see that the registry and its proxy run, and their logs, then probe again.";
  return "see what answers there instead of the registry, and that its certificate is trusted (NODE_EXTRA_CA_CERTS).";
}

export function brokenTagMessage(registry: string, repository: string, tags: readonly string[]): string {
  return `${listTags(tags)} is listed, but its manifest is not served: nobody can pull it.${nextMark}${rebuild(registry, repository, tags)}`;
}

const troubles: Partial<Record<FindingCause, string>> = {
  "link-missing": "the registry answers 404 for it",
  "blob-missing": "the registry answers 404 for it",
  "blob-empty": "the registry serves nothing under its digest",
  "size-mismatch": "the registry serves another length than the manifest says",
  "digest-mismatch": "the registry serves other bytes than its digest stands for",
};

const nouns: Partial<Record<Finding["kind"], string>> = {
  manifest: "manifest",
  "index-child": "manifest",
  config: "configuration",
  layer: "layer",
};

export function brokenPartMessage(finding: Omit<Finding, "message">): string {
  const { registry, repository, kind, cause, digest, parent, tags, platform } = finding;
  const owner = parent === null ? "" : ` of ${shortDigest(parent)}`;
  const named = platform === null ? "" : ` (${platform})`;
  const what = `The ${nouns[kind]} ${digest}${owner}${named} is broken: ${troubles[cause]}.`;
  return `${what} ${victims(finding)}${nextMark}${rebuild(registry, repository ?? "", tags)}`;
}

function victims({ tags, platform, severity }: Omit<Finding, "message">): string {
  if (severity !== "critical") return `${listTags(tags)} can be pulled, but not the attestation.`;
  return `${listTags(tags)} cannot be pulled${platform === null ? "" : ` for ${platform}`}.`;
}

function rebuild(registry: string, repository: string, [tag]: readonly string[]): string {
  return (
    "on the registry's machine, regwarden scan DIR says whether the data survives; else build and push again, for " +
    `each tag: docker buildx build --push --tag ${registry}/${repository}:${tag ?? "TAG"} .`
  );
}
