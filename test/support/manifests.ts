import type { Manifest } from "../../scripts/registry/manifest.ts";
import type { ManifestState } from "../../scripts/source/source.ts";

/** A manifest as a reader gives it; what is not named is empty. */
export function parsed(
  manifest: Partial<Manifest> & Pick<Manifest, "type">,
  sizeBytes?: number,
): ManifestState {
  const complete = { children: [], blobs: [], ...manifest };
  return { state: "parsed", manifest: complete, ...(sizeBytes !== undefined && { sizeBytes }) };
}
