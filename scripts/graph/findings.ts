import { type Finding, findingKinds, severities } from "../../contract/scan-report.ts";
import type { Unreadable } from "../source/source.ts";
import type { RepositoryFacts } from "./facts.ts";
import { findLostSubjects } from "./lost-subjects.ts";
import { unreadableMessage } from "./messages.ts";
import { viewStore } from "./store-view.ts";
import { findBadBlobs } from "./stored-blobs.ts";
import { findBadManifests } from "./stored-manifests.ts";
import { findBadTags } from "./stored-tags.ts";

/** Everything that is bad in one repository of a store, in no particular order. */
export function findFaults(facts: RepositoryFacts): readonly Finding[] {
  const view = viewStore(facts);
  return [...findBadTags(facts), ...findBadManifests(view), ...findBadBlobs(view), ...findLostSubjects(view)];
}

/** A part of the store itself that could not be looked at. */
export function storeFinding(registry: string, digest: string | null, fault: Unreadable): Finding {
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
    message: unreadableMessage(fault),
  };
}

/** Whether two findings are about the same bad thing. */
export function findingKey({ kind, cause, registry, repository, digest, tags, message }: Finding): string {
  // Where there is no digest the tag is the thing, or the upload that only the text names; elsewhere both may change
  // between two looks.
  const thing = digest ?? (kind === "upload" ? message : tags);
  return JSON.stringify([kind, cause, registry, repository, thing]);
}

/** Worst first, then by place: the same store always gives the same list. */
export function sortFindings(findings: readonly Finding[]): readonly Finding[] {
  const keyed = findings.map((finding) => ({ finding, key: sortKey(finding) }));
  keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return keyed.map(({ finding }) => finding);
}

function sortKey(finding: Finding): string {
  const { registry, repository, kind, tags, platform, digest } = finding;
  const severity = severities.indexOf(finding.severity);
  const rank = String(findingKinds.indexOf(kind)).padStart(2, "0");
  return [severity, registry, repository ?? "", rank, tags[0] ?? "~", platform ?? "", digest ?? ""].join(
    "\u0000",
  );
}
