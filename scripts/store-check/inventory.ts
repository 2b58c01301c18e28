import { storeFinding } from "../graph/findings.ts";
import type { RawFinding } from "../graph/raw-finding.ts";
import type { Digest } from "../registry/digest.ts";
import type { BlobState, Share, StoreSource } from "../source/source.ts";
import { type BlobTable, createBlobTable, sizeOfBlob, totalSize } from "./blob-table.ts";

/** All blobs of a store, as they were when they were listed. Threads can be given it as it is. */
export interface Inventory {
  readonly blobs: number;
  readonly bytes: number;
  /** What could not be listed. */
  readonly findings: readonly RawFinding[];
  /** One for each share of the blobs. */
  readonly tables: readonly BlobTable[];
  /** Blobs that a table cannot hold: of other algorithms, or unreadable. */
  readonly others: ReadonlyMap<Digest, BlobState>;
}

const prefix = "sha256:";

/** Lists a share of the blobs, so that no link to a blob costs another system call. */
export async function listBlobs(source: StoreSource, onBlob: () => void, share?: Share): Promise<Inventory> {
  const builder = createBlobTable();
  const others = new Map<Digest, BlobState>();
  const findings: RawFinding[] = [];
  for await (const { digest, blob } of source.blobs(share)) {
    if (blob.state === "unreadable") findings.push(storeFinding(source.name, digest, blob));
    if (!digest || blob.state === "missing") continue;
    if (blob.state === "present" && digest.startsWith(prefix))
      builder.add(digest, prefix.length, blob.sizeBytes);
    else others.set(digest, blob);
    if (blob.state === "present") onBlob();
  }
  const table = builder.build();
  const rest = [...others.values()].filter((blob) => blob.state === "present");
  return {
    blobs: table.count + rest.length,
    bytes: rest.reduce((sum, { sizeBytes }) => sum + sizeBytes, totalSize(table)),
    findings,
    tables: [table],
    others,
  };
}

/** The inventories of all shares as one. */
export function joinInventories(shares: readonly Inventory[]): Inventory {
  return {
    blobs: shares.reduce((sum, { blobs }) => sum + blobs, 0),
    bytes: shares.reduce((sum, { bytes }) => sum + bytes, 0),
    findings: shares.flatMap(({ findings }) => findings),
    tables: shares.flatMap(({ tables }) => tables),
    others: new Map(shares.flatMap(({ others }) => [...others])),
  };
}

/** Any blob of a store, by its inventory. */
export function blobsIn({ tables, others }: Inventory): (digest: Digest) => BlobState {
  return (digest) => {
    if (digest.startsWith(prefix))
      for (const table of tables) {
        const sizeBytes = sizeOfBlob(table, digest, prefix.length);
        if (sizeBytes !== undefined) return { state: "present", sizeBytes };
      }
    return others.get(digest) ?? { state: "missing" };
  };
}
