import { faultOfBlob } from "../graph/defects.ts";
import type { RawFinding } from "../graph/raw-finding.ts";
import { type Digest, parseDigest } from "../registry/digest.ts";
import type { BlobDescriptor } from "../registry/manifest.ts";
import type { Pace, StoreSource } from "../source/source.ts";
import { createVerifiedBlobs, isSound, type VerifiedBlobs } from "../source/verified-blobs.ts";

/**
 * The findings, with `recopy` for what need not be built again because another registry of the same data root holds what
 * is missing. Only for findings that would ask for a build is anything read, so a healthy store costs nothing; each blob
 * is read once, at the given pace.
 */
export async function preferCopies(
  findings: readonly RawFinding[],
  sources: readonly StoreSource[],
  pace: Pace,
): Promise<readonly RawFinding[]> {
  const stores = sources.map((source) => ({ source, verified: createVerifiedBlobs(source, pace) }));
  const searches = stores.map((own) => {
    const others = stores.filter((other) => other !== own);
    const altered = findAltered(findings, own.source.name);
    return [own.source.name, others.map((other) => createSearch(own, other, altered))] as const;
  });
  const searchesOf = new Map(searches);
  const preferred: RawFinding[] = [];
  for (const finding of findings) {
    const copyIn = await findCopy(finding, searchesOf.get(finding.registry) ?? []);
    const detail = { ...finding.detail, ...(copyIn !== undefined && { copyIn }) };
    preferred.push(copyIn === undefined ? finding : { ...finding, remedy: "recopy", detail });
  }
  return preferred;
}

/** Blobs of a registry that were found to hold other bytes. */
function findAltered(findings: readonly RawFinding[], registry: string): ReadonlySet<string | null> {
  const altered = findings.filter((one) => one.registry === registry && one.cause === "digest-mismatch");
  return new Set(altered.map(({ digest }) => digest));
}

/** Name of another registry that holds what is missing; undefined also where no copy heals the finding. */
async function findCopy(
  { kind, cause, remedy, digest: text, parent }: RawFinding,
  searches: readonly Search[],
): Promise<string | undefined> {
  const digest = parseDigest(text ?? "");
  const isManifest = kind === "manifest" || kind === "index-child";
  // An index that promises another length than its child has is wrong itself.
  if (remedy !== "rebuild" || !digest || (isManifest && cause === "size-mismatch")) return undefined;
  for (const search of searches) {
    const gain = isManifest
      ? await search.manifest(digest)
      : await search.blob(digest, parseDigest(parent ?? ""));
    if (gain === "complete") return search.name;
  }
  return undefined;
}

interface Store {
  readonly source: StoreSource;
  readonly verified: VerifiedBlobs;
}

/**
 * What copies from one other store would make of something: `complete` it; `nothing`, as all of it is here; or it would
 * be `incomplete` all the same.
 */
type Gain = "complete" | "nothing" | "incomplete";

/** Compares one store with one other, each digest once. */
interface Search {
  /** Of the other store. */
  readonly name: string;
  /** A manifest with everything below it. */
  readonly manifest: (digest: Digest) => Promise<Gain>;
  /** A blob that a manifest names. */
  readonly blob: (digest: Digest, parent: Digest | undefined) => Promise<Gain>;
}

function createSearch(own: Store, other: Store, altered: ReadonlySet<string | null>): Search {
  const readManifest = async (digest: Digest) => {
    const here = await own.source.manifest("", digest);
    if (here.state === "parsed") return { ...here, gain: "nothing" } as const;
    const there = await other.source.manifest("", digest);
    return there.state === "parsed" ? ({ ...there, gain: "complete" } as const) : undefined;
  };
  const blobGain = async (blob: BlobDescriptor): Promise<Gain> => {
    const here = faultOfBlob(await own.source.blob("", blob.digest), blob);
    if (!here && !altered.has(blob.digest)) return "nothing";
    // Right bytes of another length than the manifest promises: so would be every copy.
    if (here === "size-mismatch" && isSound(await own.verified(blob.digest))) return "incomplete";
    if (faultOfBlob(await other.source.blob("", blob.digest), blob)) return "incomplete";
    return isSound(await other.verified(blob.digest)) ? "complete" : "incomplete";
  };
  const known = new Map<Digest, Gain>();
  const manifestGain = async (digest: Digest): Promise<Gain> => {
    const memoized = known.get(digest);
    if (memoized) return memoized;
    // What names itself in a circle cannot exist by its digests; here it only must not run for ever.
    known.set(digest, "incomplete");
    const read = await readManifest(digest);
    if (!read) return "incomplete";
    const gains: Gain[] = [read.gain];
    for (const child of read.manifest.children) gains.push(await manifestGain(child.digest));
    for (const blob of read.manifest.blobs) gains.push(await blobGain(blob));
    const gain = join(gains);
    known.set(digest, gain);
    return gain;
  };
  return {
    name: other.source.name,
    manifest: manifestGain,
    blob: async (digest, parent) => {
      const read = parent && (await readManifest(parent));
      const named = read?.manifest.blobs.find((blob) => blob.digest === digest);
      return blobGain(named ?? { digest, sizeBytes: null, role: "layer" });
    },
  };
}

function join(gains: readonly Gain[]): Gain {
  if (gains.includes("incomplete")) return "incomplete";
  return gains.includes("complete") ? "complete" : "nothing";
}
