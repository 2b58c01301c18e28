import type { Finding, Remedy } from "../../contract/finding.ts";
import type { LostPart, RepairChange, RepairImage, RepairTriage } from "../../contract/repair-report.ts";

interface Planned {
  readonly images: readonly Omit<RepairImage, "changes">[];
  readonly changes: readonly RepairChange[];
}

/** What becomes of each finding: what the plan does about it, else what is left for people to do. */
export function triage(findings: readonly Finding[], { images, changes }: Planned): readonly RepairTriage[] {
  const blobs = new Set(changes.filter(isBlob).map(({ registry, digest }) => key(registry, digest)));
  const links = new Set(changes.filter((change) => !isBlob(change)).map(linkKey));
  const lost = new Map<string, LostPart["remedy"]>();
  for (const { registry, repository, tag, lost: parts } of images)
    if (tag !== null)
      for (const { digest } of parts)
        if (digest !== null) lost.set(key(registry, repository, digest), "rebuild");
  const remedyOf = (finding: Finding): Remedy => {
    const { registry, repository, digest, tags, cause } = finding;
    if (cause === "unreadable") return "none";
    if (digest === null) {
      const tag = tags[0] ?? "";
      if (links.has(key(registry, repository ?? "", tag))) return "relink";
      return finding.kind === "tag" ? "rebuild" : finding.remedy;
    }
    if (blobs.has(key(registry, digest))) return "recopy";
    if (links.has(key(registry, repository ?? "", digest))) return "relink";
    // What no image needs: a promise to heal it would be empty, so only the scan's own advice stays.
    return lost.get(key(registry, repository ?? "", digest)) ?? finding.remedy;
  };
  return findings.map((finding) => ({ finding, remedy: remedyOf(finding) }));
}

function isBlob({ kind }: RepairChange): boolean {
  return kind === "blob";
}

function linkKey({ registry, repository, tag, digest }: RepairChange): string {
  return key(registry, repository, tag ?? digest);
}

function key(...parts: readonly string[]): string {
  return parts.join(" ");
}
