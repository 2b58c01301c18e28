import type { Finding, RegistryMode, RegistrySummary } from "../../contract/scan-report.ts";
import type { RepositoryFacts } from "../graph/facts.ts";
import { findFaults, findingKey, storeFinding } from "../graph/findings.ts";
import { linkedManifests } from "../graph/index-children.ts";
import { parseDigest } from "../registry/digest.ts";
import { forEachBounded } from "../source/bounded.ts";
import type { BlobState, StoreSource } from "../source/source.ts";
import { takeInventory } from "./inventory.ts";
import { type ManifestCache, readRepository } from "./read-repository.ts";

/** Repositories that are read side by side; each reads several files at a time itself. */
const repositoriesAtATime = 8;

export interface RegistryResult {
  readonly summary: RegistrySummary;
  readonly findings: readonly Finding[];
}

/** How far a scan has come. */
export type Progress = Omit<RegistrySummary, "mode" | "bytes">;

/**
 * Looks through one registry. The facts of a repository are dropped as soon as they are judged.
 *
 * Errors: none; what cannot be read is a finding.
 */
export async function scanRegistry(
  source: StoreSource,
  mode: RegistryMode,
  onProgress: (progress: Progress) => void,
): Promise<RegistryResult> {
  const counts = { repositories: 0, tags: 0, indexes: 0, manifests: 0, layerLinks: 0, blobs: 0 };
  const tell = () => onProgress({ name: source.name, ...counts });
  const inventory = await takeInventory(source, () => {
    counts.blobs += 1;
    tell();
  });
  const findings: Finding[] = [...inventory.findings];
  const cache: ManifestCache = new Map();
  await forEachBounded(source.repositories(), repositoriesAtATime, async (fact) => {
    if (fact.state === "unreadable") return void findings.push(storeFinding(source.name, null, fact));
    const facts = await readRepository(source, mode, fact.name, { cache, blob: inventory.blob });
    addCounts(counts, facts);
    findings.push(...(await confirm(findFaults(facts), facts, source, cache)));
    tell();
  });
  return { summary: { name: source.name, mode, ...counts, bytes: inventory.bytes }, findings };
}

type Counts = Record<"repositories" | "tags" | "indexes" | "manifests" | "layerLinks", number>;

function addCounts(counts: Counts, facts: RepositoryFacts): void {
  const linked = linkedManifests(facts);
  counts.repositories += 1;
  counts.tags += named(facts.tags);
  counts.manifests += named(facts.revisions);
  counts.layerLinks += named(facts.layerLinks);
  counts.indexes += linked.filter((digest) => {
    const state = facts.manifests.get(digest);
    return state?.state === "parsed" && state.manifest.type === "index";
  }).length;
}

function named(links: RepositoryFacts["tags"]): number {
  return links.filter(({ name }) => name !== null).length;
}

/**
 * Looks again at a repository that seems damaged, and keeps what is still bad: a push or a collection that ran
 * meanwhile looks like damage, because the registry does not write its files in one step. Healthy repositories, the
 * many, are read once.
 */
async function confirm(
  suspects: readonly Finding[],
  { mode, repository, blob }: RepositoryFacts,
  source: StoreSource,
  cache: ManifestCache,
): Promise<readonly Finding[]> {
  if (suspects.length === 0) return suspects;
  const fresh = new Map<string, BlobState>();
  for (const { digest: text } of suspects) {
    const digest = parseDigest(text ?? "");
    if (digest) fresh.set(digest, await source.blob(repository, digest));
  }
  const facts = await readRepository(source, mode, repository, {
    cache,
    blob: (digest) => fresh.get(digest) ?? blob(digest),
  });
  const keys = new Set(suspects.map(findingKey));
  return findFaults(facts).filter((finding) => keys.has(findingKey(finding)));
}
