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
  const { tables } = inventory;
  if (!digest.startsWith(prefix)) return false;
  // A store has millions of digests to flag, so that neither iterators nor closures are for this.
  for (let position = 0; position < tables.length; position++) {
    const [table, bytes] = [tables[position], flags[position]];
    const entry = table && findBlob(table, digest, prefix.length);
    if (entry === undefined || !bytes) continue;
    if (((bytes[entry] ?? 0) & bit) === 0) Atomics.or(bytes, entry, bit);
    return true;
  }
  return false;
}

/** The flags of a blob; undefined for one that no table holds. */
export function flagsOf(inventory: Inventory, flags: BlobFlags, digest: Digest): number | undefined {
  const { tables } = inventory;
  if (!digest.startsWith(prefix)) return undefined;
  for (let position = 0; position < tables.length; position++) {
    const [table, bytes] = [tables[position], flags[position]];
    const entry = table && findBlob(table, digest, prefix.length);
    if (entry !== undefined && bytes) return bytes[entry] ?? 0;
  }
  return undefined;
}
