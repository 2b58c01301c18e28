import { type FindingFacts, findingKinds, severities } from "../../contract/finding.ts";
import type { StoreFacts } from "../source/facts.ts";
import type { Unreadable } from "../source/source.ts";
import { findBadName } from "./bad-name.ts";
import { findMissingSubjects } from "./missing-subjects.ts";
import { detailOfUnreadable, type RawFinding } from "./raw-finding.ts";
import { viewStore } from "./store-view.ts";
import { findBadBlobs } from "./stored-blobs.ts";
import { findBadManifests } from "./stored-manifests.ts";
import { findBadTags } from "./stored-tags.ts";

/** Everything that is bad in one repository of a store, in no particular order. */
export function findStoreFaults(facts: StoreFacts): readonly RawFinding[] {
  const view = viewStore(facts);
  return [
    ...findBadName(facts),
    ...findBadTags(facts),
    ...findBadManifests(view),
    ...findBadBlobs(view),
    ...findMissingSubjects(view),
  ];
}

/** A directory or blob of the store itself, or a list of a registry, that could not be checked. */
export function storeFinding(registry: string, digest: string | null, fault: Unreadable): RawFinding {
  return {
    kind: "store",
    cause: "unreadable",
    severity: "warning",
    registry,
    repository: null,
    digest,
    parent: null,
    tags: [],
    platform: null,
    remedy: "none",
    ...detailOfUnreadable(fault),
  };
}

/**
 * Which bad thing a finding is about, whatever is wrong with it: between two reads of the same thing the cause may
 * change. Without a digest it is the tag, or the path.
 */
export function subjectKey({ registry, repository, digest, tags, place }: FindingFacts): string {
  return JSON.stringify([registry, repository, digest ?? (tags.length > 0 ? tags : place)]);
}

/** Worst first, then by registry, repository and tag: the same store always gives the same list. */
export function sortFindings<T extends FindingFacts>(findings: readonly T[]): readonly T[] {
  const keyed = findings.map((finding) => ({ finding, key: sortKey(finding) }));
  keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return keyed.map(({ finding }) => finding);
}

function sortKey(finding: FindingFacts): string {
  const { registry, repository, kind, tags, platform, digest, place } = finding;
  const severity = severities.indexOf(finding.severity);
  const rank = String(findingKinds.indexOf(kind)).padStart(2, "0");
  const thing = [tags[0] ?? "~", platform ?? "", digest ?? "", place ?? ""];
  return [severity, registry, repository ?? "", rank, ...thing].join("\u0000");
}
