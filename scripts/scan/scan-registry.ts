import type { Finding, RegistryMode, RegistrySummary } from "../../contract/scan-report.ts";
import { linkedManifests, type RepositoryFacts } from "../graph/facts.ts";
import { findFaults, findingKey, storeFinding } from "../graph/findings.ts";
import { judgeUpload } from "../graph/stale-uploads.ts";
import { type Digest, parseDigest } from "../registry/digest.ts";
import type { BlobState, StoreSource } from "../source/source.ts";
import { takeInventory } from "./inventory.ts";
import { createManifestCache, type ReadManifest } from "./manifest-cache.ts";
import { readRepository } from "./read-repository.ts";
import { createVerification, type Verification, type VerificationOptions } from "./verification.ts";

export interface RegistryResult {
  readonly summary: RegistrySummary;
  readonly findings: readonly Finding[];
  /** Names of those that were looked at because they were asked for. */
  readonly repositories: readonly string[];
}

/** How far a scan has come. */
export type Progress = Omit<RegistrySummary, "mode" | "bytes">;

export interface ScanOptions {
  /** Time of the scan, milliseconds since 1970: what uploads are old by. @default the clock's */
  readonly now?: number;
  /** Only these repositories; undefined: all. */
  readonly repositories?: ReadonlySet<string> | undefined;
  readonly verification?: VerificationOptions | undefined;
}

/**
 * Looks through one registry. The facts of a repository are dropped as soon as they are judged.
 *
 * Errors: none; what cannot be read is a finding.
 */
export async function scanRegistry(
  source: StoreSource,
  mode: RegistryMode,
  onProgress: (progress: Progress) => void,
  { now = Date.now(), repositories, verification }: ScanOptions = {},
): Promise<RegistryResult> {
  const counts = { repositories: 0, tags: 0, indexes: 0, manifests: 0, layerLinks: 0, blobs: 0 };
  const tell = () => onProgress({ name: source.name, ...counts });
  const inventory = await takeInventory(source, () => {
    counts.blobs += 1;
    tell();
  });
  const manifest = createManifestCache(source);
  const verifier = verification && createVerification(source, verification);
  const findings: Finding[] = [];
  const suspects = new Map<string, readonly Finding[]>();
  const asked: string[] = [];
  for await (const fact of source.repositories()) {
    if (fact.state === "unreadable") findings.push(storeFinding(source.name, null, fact));
    else if (!repositories || repositories.has(fact.name)) {
      const read = await readRepository(source, mode, fact.name, { manifest, blob: inventory.blob });
      const facts = verifier ? await verifier.verify(read) : read;
      addCounts(counts, facts);
      if (repositories) asked.push(fact.name);
      const faults = findFaults(facts);
      if (faults.length > 0) suspects.set(fact.name, faults);
      tell();
    }
  }
  for (const [repository, faults] of suspects)
    findings.push(...(await confirm(faults, { source, mode, repository, manifest, verifier, inventory })));
  for await (const upload of source.uploads())
    if (!repositories || repositories.has(upload.repository))
      findings.push(...judgeUpload(source.name, upload, now));
  findings.push(...withoutRepeats(inventory.findings, findings));
  const summary = { name: source.name, mode, ...counts, bytes: inventory.bytes };
  return { summary, findings, repositories: asked };
}

/** What the store says about a blob, unless a repository says it of the same one, and whom it breaks there. */
function withoutRepeats(ofStore: readonly Finding[], findings: readonly Finding[]): readonly Finding[] {
  const told = new Set(findings.filter(({ cause }) => cause === "unreadable").map(({ digest }) => digest));
  return ofStore.filter(({ digest }) => digest === null || !told.has(digest));
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

interface Suspicion {
  readonly source: StoreSource;
  readonly mode: RegistryMode;
  readonly repository: string;
  readonly manifest: ReadManifest;
  readonly verifier: Verification | undefined;
  readonly inventory: Pick<RepositoryFacts, "blob">;
}

/**
 * Looks again at a repository that seemed damaged, after all others were looked at, and keeps what is still bad: a push
 * or a collection that ran meanwhile looks like damage, because the registry does not write its files in one step.
 * Healthy repositories, the many, are read once.
 */
async function confirm(
  suspects: readonly Finding[],
  { source, mode, repository, manifest, verifier, inventory }: Suspicion,
): Promise<readonly Finding[]> {
  const fresh = new Map<Digest, BlobState>();
  const look = async (digest: Digest, isAltered: boolean) =>
    fresh.set(
      digest,
      await (isAltered && verifier ? verifier.again(digest) : source.blob(repository, digest)),
    );
  for (const { digest: text, cause } of suspects) {
    const digest = parseDigest(text ?? "");
    if (digest) await look(digest, cause === "digest-mismatch");
  }
  const blob = (digest: Digest) => fresh.get(digest) ?? inventory.blob(digest);
  const facts = await readRepository(source, mode, repository, { manifest, blob });
  const keys = new Set(suspects.map(findingKey));
  return findFaults(facts).filter((finding) => keys.has(findingKey(finding)));
}
