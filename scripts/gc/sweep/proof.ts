import type { GcReport } from "../../../contract/gc-report.ts";
import type { Terminal } from "../../cli/terminal.ts";
import type { RawFinding } from "../../graph/raw-finding.ts";
import type { RegistryMark } from "../../mark/mark.ts";
import type { MarkEngines } from "../../mark/mark-engine.ts";
import { tagLinkPath } from "../../registry/paths.ts";
import { readLink } from "../../source/disk/link.ts";
import type { DiskSource } from "../../source/disk/registry.ts";
import { missedThings } from "../quarantine/missed.ts";
import { scanSome } from "../quarantine/scan-some.ts";
import type { SweepList } from "./sweep-list.ts";

/** A registry of which something was moved, and what was known of it before. */
export interface Proven {
  readonly source: DiskSource;
  readonly mark: RegistryMark;
}

/**
 * Whether everything is complete that was so before: from the tags and links through what their manifests say and the
 * directories that are there, so without anything that the mark has worked out. Where names of directories alone do not
 * show that all is there, a scan of the repository decides; see docs/adr/0038. `lost`: tags (REGISTRY/REPOSITORY:TAG) that
 * were complete and still lead to the same manifest, and whatever else (REGISTRY/REPOSITORY@DIGEST) misses what was moved.
 *
 * Errors: E_OUT_OF_MEMORY.
 */
export async function prove(
  proven: readonly Proven[],
  moved: () => SweepList,
  engines: MarkEngines,
  terminal: Terminal,
): Promise<NonNullable<GcReport["proof"]>> {
  const lost = new Set<string>();
  let tags = 0;
  for (const { source, mark } of proven) {
    tags += mark.completeTags.size;
    const findings = await scanSome(source, await engines.of(source).suspects(), terminal);
    if (findings.length === 0) continue;
    const names = [
      ...missedThings(findings, mark, moved()).flatMap((missed) => missed.for),
      ...brokenTags(findings, mark),
    ];
    for (const name of names) lost.add(`${mark.registry}/${name}`);
  }
  return { tags, lost: [...lost].sort() };
}

/** Tags that are broken now, whatever by. What only a signature lacks breaks no tag. */
function brokenTags(findings: readonly RawFinding[], mark: RegistryMark): readonly string[] {
  const broken: string[] = [];
  for (const { repository, kind, tags } of findings) {
    if (repository === null || kind === "referrer") continue;
    for (const tag of tags) {
      const before = mark.completeTags.get(`${repository}:${tag}`);
      if (before !== undefined && before === digestOfTag(mark, repository, tag))
        broken.push(`${repository}:${tag}`);
    }
  }
  return broken;
}

/** A push may have moved it since: then what it leads to is that push's. */
function digestOfTag({ dataDirectory }: RegistryMark, repository: string, tag: string): string | undefined {
  const link = readLink(tagLinkPath(dataDirectory, repository, tag));
  return link?.state === "linked" ? link.digest : undefined;
}
