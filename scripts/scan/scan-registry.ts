import type { Finding, RegistryMode, RegistrySummary } from "../../contract/scan-report.ts";
import { findFaults, findingKey, storeFinding } from "../graph/findings.ts";
import { judgeUpload } from "../graph/stale-uploads.ts";
import { type Digest, parseDigest } from "../registry/digest.ts";
import type { BlobState, StoreSource } from "../source/source.ts";
import type { Crew } from "./crew.ts";
import { joinBlobLists, listBlobs } from "./inventory.ts";
import { type Judgement, judgeRepository, type Shared } from "./judge-repository.ts";
import { createManifestCache } from "./manifest-cache.ts";
import { readRepository } from "./read-repository.ts";
import { createVerification, type VerificationOptions } from "./verification.ts";

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
  /** Reads side by side; it does not verify. */
  readonly crew?: Crew | undefined;
}

/**
 * Looks through one registry. The facts of a repository are dropped as soon as they are judged.
 *
 * Errors: none of the store; what cannot be read is a finding.
 */
export async function scanRegistry(
  source: StoreSource,
  mode: RegistryMode,
  onProgress: (progress: Progress) => void,
  { now = Date.now(), repositories, verification, crew }: ScanOptions = {},
): Promise<RegistryResult> {
  const counts = { repositories: 0, tags: 0, indexes: 0, manifests: 0, layerLinks: 0, blobs: 0 };
  const tell = () => onProgress({ name: source.name, ...counts });
  const onBlob = () => {
    counts.blobs += 1;
    tell();
  };
  const inventory = crew ? await crew.takeInventory() : joinBlobLists([await listBlobs(source, onBlob)]);
  counts.blobs = inventory.blobs;
  const { names, findings } = await listNames(source, repositories);
  const verifier = verification && createVerification(source, verification);
  const shared = { manifest: createManifestCache(source), blob: inventory.blob, verifier };
  const suspects: Judgement[] = [];
  const add = (judgement: Judgement) => {
    counts.repositories += 1;
    for (const [what, count] of Object.entries(judgement.counts))
      counts[what as keyof Judgement["counts"]] += count;
    if (judgement.suspects.length > 0) suspects.push(judgement);
    tell();
  };
  if (crew) await crew.judge(names, inventory, add);
  else for (const name of names) add(await judgeRepository(source, mode, name, shared));
  for (const suspicion of suspects) findings.push(...(await confirm(suspicion, source, mode, shared)));
  for await (const upload of source.uploads())
    if (!repositories || repositories.has(upload.repository))
      findings.push(...judgeUpload(source.name, upload, now));
  findings.push(...withoutRepeats(inventory.findings, findings));
  const summary = { name: source.name, mode, ...counts, bytes: inventory.bytes };
  return { summary, findings, repositories: repositories ? names : [] };
}

async function listNames(
  source: StoreSource,
  asked: ReadonlySet<string> | undefined,
): Promise<{ readonly names: readonly string[]; readonly findings: Finding[] }> {
  const names: string[] = [];
  const findings: Finding[] = [];
  for await (const fact of source.repositories()) {
    if (fact.state === "unreadable") findings.push(storeFinding(source.name, null, fact));
    else if (!asked || asked.has(fact.name)) names.push(fact.name);
  }
  return { names, findings };
}

/** What the store says about a blob, unless a repository says it of the same one, and whom it breaks there. */
function withoutRepeats(ofStore: readonly Finding[], findings: readonly Finding[]): readonly Finding[] {
  const told = new Set(findings.filter(({ cause }) => cause === "unreadable").map(({ digest }) => digest));
  return ofStore.filter(({ digest }) => digest === null || !told.has(digest));
}

/**
 * Looks again at a repository that seemed damaged, after all others were looked at, and keeps what is still bad: a push
 * or a collection that ran meanwhile looks like damage, because the registry does not write its files in one step.
 * Healthy repositories, the many, are read once.
 */
async function confirm(
  { repository, suspects }: Judgement,
  source: StoreSource,
  mode: RegistryMode,
  { manifest, blob: known, verifier }: Shared,
): Promise<readonly Finding[]> {
  const fresh = new Map<Digest, BlobState>();
  for (const { digest: text, cause } of suspects) {
    const digest = parseDigest(text ?? "");
    if (!digest) continue;
    const isAltered = cause === "digest-mismatch" && verifier !== undefined;
    fresh.set(digest, await (isAltered ? verifier.again(digest) : source.blob(repository, digest)));
  }
  const blob = (digest: Digest) => fresh.get(digest) ?? known(digest);
  const facts = await readRepository(source, mode, repository, { manifest, blob });
  const keys = new Set(suspects.map(findingKey));
  return findFaults(facts).filter((finding) => keys.has(findingKey(finding)));
}
