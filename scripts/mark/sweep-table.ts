import type { Digest } from "../registry/digest.ts";
import { blobDirectory } from "../registry/paths.ts";
import { lastWrite } from "../source/disk/files.ts";
import { hexOfEntry, sizeOfEntry } from "../store-check/blob-table.ts";
import type { Inventory } from "../store-check/inventory.ts";
import { type BlobFlags, flagBits } from "./blob-flags.ts";

/** A blob that no root needs. */
export interface UnneededBlob {
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly writtenAt: number;
  /** Something that is spared needs it. */
  readonly isSpared: boolean;
}

/** The blobs of one table that no root needs. What went meanwhile is left out. */
export function unneededBlobs(
  dataDirectory: string,
  { tables }: Pick<Inventory, "tables">,
  flags: BlobFlags,
  position: number,
): readonly UnneededBlob[] {
  const [table, bytes] = [tables[position], flags[position]];
  const unneeded: UnneededBlob[] = [];
  if (!table || !bytes) return unneeded;
  for (let entry = 0; entry < table.count; entry++) {
    const flag = bytes[entry] ?? 0;
    if ((flag & flagBits.needed) !== 0) continue;
    const digest: Digest = `sha256:${hexOfEntry(table, entry)}`;
    const writtenAt = lastWrite(blobDirectory(dataDirectory, digest), "data");
    const isSpared = (flag & flagBits.spared) !== 0;
    if (writtenAt !== undefined)
      unneeded.push({ digest, sizeBytes: sizeOfEntry(table, entry), writtenAt, isSpared });
  }
  return unneeded;
}
