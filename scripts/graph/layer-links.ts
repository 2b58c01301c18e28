import type { Finding, FindingCause } from "../../contract/scan-report.ts";
import { type Digest, isDigestOfNothing, parseDigest } from "../registry/digest.ts";
import type { LinkFact } from "../source/source.ts";
import type { RepositoryFacts } from "./facts.ts";
import { layerLinkMessage, linkMessage, unreadableMessage } from "./messages.ts";

/** A repository's blob links that lead to nothing. They are reported in caches too, and never removed. */
export function findBadLayerLinks(facts: RepositoryFacts): readonly Finding[] {
  return facts.layerLinks.flatMap((fact) => judge(facts, fact));
}

function judge(facts: RepositoryFacts, { name, link }: LinkFact): readonly Finding[] {
  const digest = parseDigest(name ?? "") ?? null;
  const finding = (cause: FindingCause, message: string): Finding => ({
    kind: "layer-link",
    cause,
    severity: "warning",
    registry: facts.registry,
    repository: facts.repository,
    digest,
    parent: null,
    tags: [],
    platform: null,
    remedy: cause === "unreadable" ? "none" : "remove-link",
    message,
  });
  if (link.state === "unreadable") return [finding("unreadable", unreadableMessage(link))];
  if (link.state === "invalid") return [finding("link-invalid", linkMessage(link, "blob", []))];
  const cause = faultOfBlob(facts, link.digest);
  return cause ? [finding(cause, layerLinkMessage(facts.repository, digest ?? link.digest, cause))] : [];
}

function faultOfBlob(facts: RepositoryFacts, digest: Digest): "blob-missing" | "blob-empty" | undefined {
  const blob = facts.blob(digest);
  if (blob.state === "missing") return "blob-missing";
  const isEmpty = blob.state === "present" && blob.sizeBytes === 0;
  return isEmpty && !isDigestOfNothing(digest) ? "blob-empty" : undefined;
}
