import type { FindingFacts } from "../../../contract/finding.ts";
import type { RawFinding } from "../../../scripts/graph/raw-finding.ts";
import { probeRegistry } from "../../../scripts/probe/probe-registry.ts";
import { discoverRegistries } from "../../../scripts/source/disk/registry.ts";
import { httpRegistry } from "../../../scripts/source/http/registry.ts";
import { type ScanOptions, scanRegistry } from "../../../scripts/store-check/scan-registry.ts";

/** What scan finds, in this process. */
export async function scanStore(directory: string, options?: ScanOptions): Promise<readonly RawFinding[]> {
  const { sources } = await discoverRegistries(directory);
  const results = await Promise.all(
    sources.map((source) => scanRegistry(source, "authoritative", () => {}, options)),
  );
  return results.flatMap(({ findings }) => findings);
}

/** What probe finds, in this process. */
export async function probeStore(url: string): Promise<readonly RawFinding[]> {
  const source = httpRegistry({ name: "data", origin: url, account: undefined, concurrency: 8 });
  const options = { concurrency: 8, sentinel: undefined, shard: undefined, onProgress: () => {} };
  return (await probeRegistry(source, options)).findings;
}

/** Findings in a line each, sorted: repository, kind/cause, severity, tags, platform, and what heals it. */
export function inLines(findings: readonly FindingFacts[]): readonly string[] {
  return findings
    .map(({ repository, kind, cause, severity, tags, platform, remedy }) =>
      [`${repository ?? "*"}: ${kind}/${cause}`, severity, ...tags, platform ?? "-", remedy].join(" "),
    )
    .sort();
}

/** Tags, as `REPOSITORY:TAG`, of images that lack something. An upload or a subject that is missing breaks no image. */
export function brokenTags(findings: readonly FindingFacts[]): readonly string[] {
  const ofImages = findings.filter(({ kind }) => kind !== "referrer" && kind !== "upload");
  const tags = ofImages.flatMap(({ repository, tags }) => tags.map((tag) => `${repository}:${tag}`));
  return [...new Set(tags)].sort();
}

/** The same for two findings that say the same of the same thing. */
export function findingKey({ kind, cause, registry, repository, digest, tags, place }: FindingFacts): string {
  return JSON.stringify([kind, cause, registry, repository, digest ?? (tags.length > 0 ? tags : place)]);
}
