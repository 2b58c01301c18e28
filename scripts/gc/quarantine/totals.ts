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

/** Bytes of the blobs among some things, by the name of their registry. */
export function bytesByRegistry(
  index: ReadonlyMap<string, Placed>,
  registries: readonly { readonly name: string; readonly dataDirectory: string }[],
): ReadonlyMap<string, number> {
  const bytes = new Map(registries.map(({ name }) => [name, 0]));
  for (const thing of index.values()) {
    const registry = registries.find(({ dataDirectory }) => thing.path.startsWith(`${dataDirectory}/`));
    if (registry) bytes.set(registry.name, (bytes.get(registry.name) ?? 0) + bytesOf(thing));
  }
  return bytes;
}
