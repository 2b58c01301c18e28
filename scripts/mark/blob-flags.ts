import type { Digest } from "../registry/digest.ts";
import { findBlob } from "../store-check/blob-table.ts";
import type { Inventory } from "../store-check/inventory.ts";

/** One byte a blob, for each table of an inventory, in memory that threads share. */
export type BlobFlags = readonly Uint8Array<SharedArrayBuffer>[];

/** A blob is needed by a root, or only by what is spared, or by both. */
export const flagBits = { needed: 1, spared: 2 } as const;

const prefix = "sha256:";

export function createBlobFlags({ tables }: Inventory): BlobFlags {
  return tables.map(({ count }) => new Uint8Array(new SharedArrayBuffer(count)));
}

/** Flags a blob; false for one that no table holds. */
export function flagBlob(inventory: Inventory, flags: BlobFlags, digest: Digest, bit: number): boolean {
  return withBlob(inventory, flags, digest, (bytes, entry) => Atomics.or(bytes, entry, bit)) !== undefined;
}

/** The flags of a blob; undefined for one that no table holds. */
export function flagsOf(inventory: Inventory, flags: BlobFlags, digest: Digest): number | undefined {
  return withBlob(inventory, flags, digest, (bytes, entry) => bytes[entry] ?? 0);
}

function withBlob(
  { tables }: Inventory,
  flags: BlobFlags,
  digest: Digest,
  work: (bytes: Uint8Array<SharedArrayBuffer>, entry: number) => number,
): number | undefined {
  if (!digest.startsWith(prefix)) return undefined;
  for (const [position, table] of tables.entries()) {
    const entry = findBlob(table, digest, prefix.length);
    const bytes = flags[position];
    if (entry !== undefined && bytes) return work(bytes, entry);
  }
  return undefined;
}
