import type { Finding } from "../../contract/scan-report.ts";
import { subjectOfTag } from "../registry/tag.ts";
import type { LinkFact } from "../source/source.ts";
import type { RepositoryFacts } from "./facts.ts";
import { tagMessage, unreadableMessage } from "./messages.ts";

/**
 * Tags whose own link is bad. Those that lead to a manifest that is lost are told with the manifest, once for all tags.
 *
 * Source: distribution v2.8.3, registry/storage/tagstore.go, Get: 404 without a link, 500 for one that is no digest.
 */
export function findBadTags(facts: RepositoryFacts): readonly Finding[] {
  return facts.tags.flatMap((fact) => judgeTag(facts, fact));
}

function judgeTag(facts: RepositoryFacts, { name, link }: LinkFact): readonly Finding[] {
  if (link.state === "linked") return [];
  const isUnreadable = link.state === "unreadable";
  // A cache asks its upstream where a tag leads, and writes what is missing.
  const isMissing = link.state === "missing";
  if (isMissing && facts.mode === "cache") return [];
  const isHome = !isUnreadable && facts.mode === "authoritative";
  const isForRealPlatform = name === null || !subjectOfTag(name);
  const tags = name === null ? [] : [name];
  return [
    {
      kind: "tag",
      cause: isUnreadable ? "unreadable" : isMissing ? "link-missing" : "link-invalid",
      severity: isHome && isForRealPlatform ? "critical" : "warning",
      registry: facts.registry,
      repository: facts.repository,
      digest: null,
      parent: null,
      tags,
      platform: null,
      remedy: isUnreadable ? "none" : "rebuild",
      message: isUnreadable ? unreadableMessage(link) : tagMessage(facts.repository, tags, link),
    },
  ];
}
