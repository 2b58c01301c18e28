import type { Finding, Remedy } from "../../contract/finding.ts";
import type { RepairTriage } from "../../contract/repair-report.ts";
import type { Plan } from "./plan.ts";

/** What becomes of each finding: what the plan does about it, else what is left for people to do. */
export function triage(findings: readonly Finding[], plan: Plan): readonly RepairTriage[] {
  const planned = collectPlanned(plan);
  return findings.map((finding) => ({ finding, remedy: remedyOf(finding, planned) }));
}

interface Planned {
  /** By registry and digest, for all repositories. */
  readonly blobs: ReadonlyMap<string, Remedy>;
  /** By registry, repository, and digest or tag. */
  readonly links: ReadonlySet<string>;
  /** What tagged images lack, likewise. */
  readonly missing: ReadonlySet<string>;
}

function collectPlanned({ steps, images }: Plan): Planned {
  const blobs = new Map<string, Remedy>();
  const links = new Set<string>();
  for (const change of steps.flatMap((step) => step.changes)) {
    const { kind, registry, repository, tag, digest, target, from } = change;
    if (kind !== "blob") links.add(keyOf(registry, repository, tag ?? digest));
    else
      for (const name of [digest, target])
        blobs.set(keyOf(registry, name), from === null ? "relink" : "recopy");
  }
  const tagged = images.filter(({ tag }) => tag !== null);
  const missing = tagged.flatMap(({ registry, repository, missing: files }) =>
    files.flatMap(({ digest }) => (digest === null ? [] : [keyOf(registry, repository, digest)])),
  );
  return { blobs, links, missing: new Set(missing) };
}

function remedyOf(finding: Finding, { blobs, links, missing }: Planned): Remedy {
  const { registry, digest, tags, cause, kind } = finding;
  const repository = finding.repository ?? "";
  if (cause === "unreadable") return "none";
  if (digest === null) {
    if (links.has(keyOf(registry, repository, tags[0] ?? ""))) return "relink";
    return kind === "tag" ? "rebuild" : finding.remedy;
  }
  const key = keyOf(registry, repository, digest);
  const ofBlob = blobs.get(keyOf(registry, digest));
  if (ofBlob !== undefined) return ofBlob;
  if (links.has(key)) return "relink";
  if (missing.has(key)) return "rebuild";
  // What no image needs keeps the scan's remedy, unless that is a change which is not planned.
  return finding.remedy === "relink" || finding.remedy === "recopy" ? "rebuild" : finding.remedy;
}

function keyOf(...names: readonly string[]): string {
  return names.join(" ");
}
