import type { Finding } from "../../contract/scan-report.ts";
import { storeFinding } from "../graph/findings.ts";
import type { Digest } from "../registry/digest.ts";
import type { BlobState, StoreSource } from "../source/source.ts";

/** All blobs of a store, as they were when it was walked. */
export interface Inventory {
  readonly blobs: number;
  readonly bytes: number;
  /** What could not be walked. */
  readonly findings: readonly Finding[];
  readonly blob: (digest: Digest) => BlobState;
}

/** Walks all blobs once, so that no link to them costs another look at the disk. */
export async function takeInventory(source: StoreSource, onBlob: () => void): Promise<Inventory> {
  const sizes = new Map<Digest, number>();
  const faults = new Map<Digest, BlobState>();
  const findings: Finding[] = [];
  let bytes = 0;
  for await (const { digest, blob } of source.blobs()) {
    if (blob.state === "unreadable") findings.push(storeFinding(source.name, digest, blob));
    if (blob.state === "unreadable" && digest) faults.set(digest, blob);
    if (blob.state !== "present" || !digest) continue;
    sizes.set(digest, blob.sizeBytes);
    bytes += blob.sizeBytes;
    onBlob();
  }
  const blob = (digest: Digest): BlobState => {
    const sizeBytes = sizes.get(digest);
    if (sizeBytes !== undefined) return { state: "present", sizeBytes };
    return faults.get(digest) ?? { state: "missing" };
  };
  return { blobs: sizes.size, bytes, findings, blob };
}
