import type { Finding, FindingCause, Remedy, Severity } from "../../contract/scan-report.ts";
import { type Digest, parseDigest } from "../registry/digest.ts";
import type { LinkFact } from "../source/source.ts";
import type { RepositoryFacts } from "./facts.ts";
import { linkMessage, lostManifestMessage, unreadableMessage } from "./messages.ts";
import type { References } from "./references.ts";

/**
 * Manifests and tags that could not be looked into: without them nobody knows which children are needed. Each is
 * reported where it lies, so that "not looked at" never passes for "nothing found".
 */
export function findBadManifestLinks(facts: RepositoryFacts, references: References): readonly Finding[] {
  return [
    ...facts.tags.flatMap((fact) => judgeTag(facts, fact)),
    ...facts.revisions.flatMap((fact) => judgeRevision(facts, references, fact)),
    ...[...facts.manifests].flatMap(([digest, state]) =>
      state.state === "unreadable"
        ? [finding(facts, references, digest, { cause: "unreadable", message: unreadableMessage(state) })]
        : [],
    ),
  ];
}

function judgeTag(facts: RepositoryFacts, { name, link }: LinkFact): readonly Finding[] {
  if (link.state === "linked") return [];
  const isUnreadable = link.state === "unreadable";
  const tags = name === null ? [] : [name];
  return [
    {
      kind: "tag",
      cause: isUnreadable ? "unreadable" : "link-invalid",
      severity: !isUnreadable && facts.mode === "authoritative" ? "critical" : "warning",
      registry: facts.registry,
      repository: facts.repository,
      digest: null,
      parent: null,
      tags,
      platform: null,
      remedy: isUnreadable ? "none" : "rebuild",
      message: isUnreadable ? unreadableMessage(link) : linkMessage(link, "manifest", tags),
    },
  ];
}

function judgeRevision(facts: RepositoryFacts, references: References, fact: LinkFact): readonly Finding[] {
  const { name, link } = fact;
  const digest = parseDigest(name ?? "") ?? null;
  if (link.state === "unreadable")
    return [finding(facts, references, digest, { cause: "unreadable", message: unreadableMessage(link) })];
  const tags = digest ? references.reachOf(digest).tags : [];
  if (link.state === "invalid") {
    const message = linkMessage(link, "manifest", tags);
    return [finding(facts, references, digest, { cause: "link-invalid", message })];
  }
  const state = facts.manifests.get(link.digest)?.state;
  if (state !== "missing" && state !== "empty") return [];
  const cause = state === "missing" ? "blob-missing" : "blob-empty";
  const message = lostManifestMessage(facts.repository, digest ?? link.digest, cause, tags, facts.mode);
  return [finding(facts, references, digest, { cause, message })];
}

function finding(
  facts: RepositoryFacts,
  references: References,
  digest: Digest | null,
  fault: { readonly cause: FindingCause; readonly message: string },
): Finding {
  const reach = digest ? references.reachOf(digest) : { tags: [], isForRealPlatform: false };
  const reference = digest ? references.mainReference(digest) : undefined;
  const isCritical =
    reach.isForRealPlatform && fault.cause !== "unreadable" && facts.mode === "authoritative";
  const severity: Severity = isCritical ? "critical" : "warning";
  return {
    kind: "manifest",
    ...fault,
    severity,
    registry: facts.registry,
    repository: facts.repository,
    digest,
    parent: reference?.parent ?? null,
    tags: reach.tags,
    platform: reference?.child.platform ?? null,
    remedy: remedyOf(fault.cause, reach.tags, facts),
  };
}

function remedyOf(cause: FindingCause, tags: readonly string[], facts: RepositoryFacts): Remedy {
  if (cause === "unreadable") return "none";
  // A cache fetches it again by itself; what no tag needs is only in the way.
  return facts.mode === "cache" || tags.length === 0 ? "remove-link" : "rebuild";
}
