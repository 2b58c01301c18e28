import type { Digest } from "../registry/digest.ts";
import type { ManifestState, StoreSource } from "../source/source.ts";

/** Manifests kept in memory: enough for bases that many repositories share, whatever the size of the store. */
const keptManifests = 2048;

/** Reads manifests, those that repositories share once as long as they are asked for one after the other. */
export type ReadManifest = (repository: string, digest: Digest) => Promise<ManifestState>;

export function createManifestCache(source: StoreSource): ReadManifest {
  const kept = new Map<Digest, Promise<ManifestState>>();
  return async (repository, digest) => {
    const known = kept.get(digest);
    if (known) return known;
    const reading = source.manifest(repository, digest);
    kept.set(digest, reading);
    for (const oldest of kept.keys()) {
      if (kept.size <= keptManifests) break;
      kept.delete(oldest);
    }
    const state = await reading;
    // What is not there may have been in the making: whoever asks again deserves a fresh look.
    if (state.state !== "parsed") kept.delete(digest);
    return state;
  };
}
