import type { RegistryMode } from "../../contract/finding.ts";
import type { RegistrySummary } from "../../contract/scan-report.ts";
import { findStoreFaults, storeFinding } from "../graph/findings.ts";
import type { RawFinding } from "../graph/raw-finding.ts";
import { checkUpload } from "../graph/uploads.ts";
import { type Digest, parseDigest } from "../registry/digest.ts";
import { canonicalDigests } from "../source/facts.ts";
import { readStoreFacts } from "../source/read-store.ts";
import type { BlobState, StoreSource } from "../source/source.ts";
import { checkRepository, memoizeManifests, type RepositoryCheck, type Shared } from "./check-repository.ts";
import { blobsIn, listBlobs } from "./inventory.ts";
import { createVerification, type VerificationOptions } from "./verification.ts";
import type { WorkerPool } from "./worker-pool.ts";

export interface RegistryResult {
  readonly summary: RegistrySummary;
  readonly findings: readonly RawFinding[];
  /** Names of those that were checked because they were asked for. */
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
  readonly pool?: WorkerPool | undefined;
}

/**
 * Checks one registry. The facts of a repository are dropped as soon as it is checked.
 *
 * Errors: none of the store; what cannot be read is a finding.
 */
export async function scanRegistry(
  source: StoreSource,
  mode: RegistryMode,
  onProgress: (progress: Progress) => void,
  { now = Date.now(), repositories, verification, pool }: ScanOptions = {},
): Promise<RegistryResult> {
  const counts = { repositories: 0, tags: 0, indexes: 0, manifests: 0, layerLinks: 0, blobs: 0 };
  const report = () => onProgress({ name: source.name, ...counts });
  const onBlob = () => {
    counts.blobs += 1;
    report();
  };
  const inventory = pool ? await pool.listBlobs() : await listBlobs(source, onBlob);
  counts.blobs = inventory.blobs;
  const { names, findings } = await listNames(source, repositories);
  const verifier = verification && createVerification(source, verification);
  const shared = { manifest: memoizeManifests(source), blob: blobsIn(inventory), verifier };
  const suspected: RepositoryCheck[] = [];
  const add = (check: RepositoryCheck) => {
    counts.repositories += 1;
    for (const [what, count] of Object.entries(check.counts))
      counts[what as keyof RepositoryCheck["counts"]] += count;
    if (check.suspects.length > 0) suspected.push(check);
    report();
  };
  if (pool) await pool.checkRepositories(names, inventory, add);
  else for (const name of names) add(await checkRepository(source, mode, name, shared));
  const again = { ...shared, manifest: memoizeManifests(source) };
  for (const check of suspected) findings.push(...(await confirm(check, source, mode, again)));
  for await (const upload of source.uploads())
    if (!repositories || repositories.has(upload.repository))
      findings.push(...checkUpload(source.name, upload, now));
  findings.push(...withoutRepeats(inventory.findings, findings));
  const summary = { name: source.name, mode, ...counts, bytes: inventory.bytes };
  return { summary, findings, repositories: repositories ? names : [] };
}

async function listNames(
  source: StoreSource,
  asked: ReadonlySet<string> | undefined,
): Promise<{ readonly names: readonly string[]; readonly findings: RawFinding[] }> {
  const names: string[] = [];
  const findings: RawFinding[] = [];
  for await (const fact of source.repositories()) {
    if (fact.state === "unreadable") findings.push(storeFinding(source.name, null, fact));
    else if (!asked || asked.has(fact.name)) names.push(fact.name);
  }
  return { names, findings };
}

/** Findings about the store's blobs, without those that a repository's findings name too, with the tags that it breaks. */
function withoutRepeats(
  ofStore: readonly RawFinding[],
  findings: readonly RawFinding[],
): readonly RawFinding[] {
  const reported = new Set(
    findings.filter(({ cause }) => cause === "unreadable").map(({ digest }) => digest),
  );
  return ofStore.filter(({ digest }) => digest === null || !reported.has(digest));
}

/**
 * Reads a repository that seems damaged again, after all others were read, and keeps what is still bad, in whichever way:
 * a push or a collection that runs meanwhile looks like damage, because the registry does not write its files in one
 * step. Healthy repositories, the many, are read once.
 */
async function confirm(
  { repository, suspects }: RepositoryCheck,
  source: StoreSource,
  mode: RegistryMode,
  { manifest, blob: known, verifier }: Shared,
): Promise<readonly RawFinding[]> {
  const fresh = new Map<Digest, BlobState>();
  const blob = (digest: Digest) => fresh.get(digest) ?? known(digest);
  const readBlobs = async (findings: readonly RawFinding[]): Promise<boolean> => {
    const before = fresh.size;
    for (const { digest: text, cause } of findings) {
      const name = parseDigest(text ?? "");
      if (!name) continue;
      const digest = canonical(name);
      const isAltered = cause === "digest-mismatch" && verifier !== undefined;
      const key = isAltered ? name : digest;
      if (fresh.has(key)) continue;
      fresh.set(key, await (isAltered ? verifier.again(digest, name) : source.blob(repository, digest)));
    }
    return fresh.size > before;
  };
  const facts = await readStoreFacts(source, mode, repository, { manifest, blob });
  const canonical = canonicalDigests(facts);
  const isSuspect = concerns(suspects);
  const findAgain = () => findStoreFaults(facts).filter(isSuspect);
  await readBlobs(suspects);
  let found = findAgain();
  // All other blobs are known from the first read only: one that seems bad is read again as well.
  while (await readBlobs(found)) found = findAgain();
  return found;
}

/** Whether a finding is about a digest, tag or path that the suspects are about as well. */
function concerns(suspects: readonly RawFinding[]): (finding: RawFinding) => boolean {
  const digests = new Set(suspects.flatMap(({ digest, parent }) => [digest, parent]));
  const tags = new Set(suspects.flatMap((suspect) => suspect.tags));
  const places = new Set(suspects.map(({ place }) => place));
  return (finding) =>
    (finding.digest !== null && digests.has(finding.digest)) ||
    (finding.place !== null && places.has(finding.place)) ||
    finding.tags.some((tag) => tags.has(tag));
}
