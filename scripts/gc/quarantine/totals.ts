import type { GcRemoved } from "../../../contract/gc-report.ts";
import { bytesOf, isBlob } from "./contents.ts";
import type { Placed } from "./needed.ts";

/** Counts of some things, and the bytes of their blobs, where they lie now. */
export function totalOf(things: readonly Placed[]): GcRemoved {
  const total = { revisionLinks: 0, layerLinks: 0, blobs: 0, bytes: 0 };
  for (const thing of things)
    if (isBlob(thing)) {
      total.blobs += 1;
      total.bytes += bytesOf(thing);
    } else if (/\/_manifests\/revisions\/[^/]+\/[^/]+$/.test(thing.path)) total.revisionLinks += 1;
    else total.layerLinks += 1;
  return total;
}
