import { storeFinding } from "../graph/findings.ts";
import type { RawFinding } from "../graph/raw-finding.ts";
import { type Digest, splitDigest } from "../registry/digest.ts";
import type { BlobState, Share, StoreSource } from "../source/source.ts";
import { createSizeTable, getSize, putSize, type SizeTable } from "./size-table.ts";

/** All blobs of a store, as they were when it was walked. */
export interface Inventory {
  readonly blobs: number;
  readonly bytes: number;
  /** What could not be walked. */
  readonly findings: readonly RawFinding[];
  readonly blob: (digest: Digest) => BlobState;
  /** What `blob` knows, in a form that another thread can be given. */
  readonly known: KnownBlobs;
}

/** Blobs by their digests. */
export interface KnownBlobs {
  readonly table: SizeTable;
  /** Those that the table cannot hold: of other algorithms, or unreadable. */
  readonly others: ReadonlyMap<Digest, BlobState>;
}

/** What one walk through a share of the blobs came to. */
export interface BlobList {
  /** SHA-256 digests of the blobs that are there, 64 hexadecimal digits each, one after the other. */
  readonly hex: string;
  readonly sizes: Float64Array<ArrayBuffer>;
  readonly others: ReadonlyMap<Digest, BlobState>;
  readonly findings: readonly RawFinding[];
}

/** Walks a share of the blobs once, so that no link to them costs another look at the disk. */
export async function listBlobs(source: StoreSource, onBlob: () => void, share?: Share): Promise<BlobList> {
  const chunks: string[] = [];
  let names: string[] = [];
  const sizes: number[] = [];
  const others = new Map<Digest, BlobState>();
  const findings: RawFinding[] = [];
  for await (const { digest, blob } of source.blobs(share)) {
    if (blob.state === "unreadable") findings.push(storeFinding(source.name, digest, blob));
    if (!digest || blob.state === "missing") continue;
    const { algorithm, hex } = splitDigest(digest);
    if (blob.state === "present" && algorithm === "sha256") {
      names.push(hex);
      sizes.push(blob.sizeBytes);
      if (names.length === namesOfChunk) {
        chunks.push(names.join(""));
        names = [];
      }
    } else others.set(digest, blob);
    if (blob.state === "present") onBlob();
  }
  return { hex: chunks.join("") + names.join(""), sizes: new Float64Array(sizes), others, findings };
}

const hexLength = 64;

/** Names are joined while they are young: half a million strings would stay for the whole walk otherwise. */
const namesOfChunk = 4096;

/** The lists of all shares as one. */
export function joinBlobLists(lists: readonly BlobList[]): Inventory {
  const table = createSizeTable(lists.reduce((sum, { sizes }) => sum + sizes.length, 0));
  const others = new Map(lists.flatMap((list) => [...list.others]));
  let blobs = 0;
  let bytes = 0;
  for (const { hex, sizes } of lists)
    sizes.forEach((sizeBytes, position) => {
      putSize(table, hex, position * hexLength, sizeBytes);
      blobs += 1;
      bytes += sizeBytes;
    });
  for (const state of others.values())
    if (state.state === "present") {
      blobs += 1;
      bytes += state.sizeBytes;
    }
  const known = { table, others };
  return { blobs, bytes, findings: lists.flatMap(({ findings }) => findings), blob: blobsIn(known), known };
}

/** Any blob of a store, from what is known of it. */
export function blobsIn({ table, others }: KnownBlobs): (digest: Digest) => BlobState {
  const start = "sha256:".length;
  return (digest) => {
    const sizeBytes = digest.startsWith("sha256:") ? getSize(table, digest, start) : undefined;
    if (sizeBytes !== undefined) return { state: "present", sizeBytes };
    return others.get(digest) ?? { state: "missing" };
  };
}
