import { subjectOfTag } from "../registry/tag.ts";
import type { StoreFacts } from "../source/facts.ts";
import type { LinkFact } from "../source/source.ts";
import { detailOfUnreadable, type RawFinding } from "./raw-finding.ts";

/**
 * Tags whose own link is bad. Those that lead to a missing manifest are reported with the manifest, once for all tags.
 *
 * Source: distribution v2.8.3, registry/storage/tagstore.go, Get: 404 without a link, 500 for one that is no digest.
 */
export function findBadTags(facts: StoreFacts): readonly RawFinding[] {
  return facts.tags.flatMap((fact) => checkTag(facts, fact));
}

function checkTag(
  { registry, repository, mode }: StoreFacts,
  { name, link }: LinkFact,
): readonly RawFinding[] {
  if (link.state === "linked") return [];
  // A cache asks its upstream where a tag leads, and writes what is missing.
  if (link.state === "missing" && mode === "cache") return [];
  const common = {
    kind: "tag",
    registry,
    repository,
    digest: null,
    parent: null,
    tags: name === null ? [] : [name],
    platform: null,
    place: link.location,
  } as const;
  if (link.state === "unreadable")
    return [
      { ...common, cause: "unreadable", severity: "warning", remedy: "none", ...detailOfUnreadable(link) },
    ];
  const isForRealPlatform = name === null || !subjectOfTag(name);
  const severity = mode === "authoritative" && isForRealPlatform ? "critical" : "warning";
  const finding = { ...common, severity, remedy: "rebuild" } as const;
  if (link.state === "missing") return [{ ...finding, cause: "link-missing" }];
  return [{ ...finding, cause: "link-invalid", detail: { reason: link.reason } }];
}
