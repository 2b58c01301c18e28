import type { Digest } from "../registry/digest.ts";
import { readManifest } from "../source/disk/manifest.ts";
import type { ManifestState } from "../source/source.ts";

/** Some 40 MB of them. */
const memoizedManifests = 32_768;

/**
 * Reads manifests of a store, each once: its digest says what it holds, wherever it is needed and however often. That its
 * file is there still is another question.
 */
export function createManifestMemo(dataDirectory: string): (digest: Digest) => ManifestState {
  const memoized = new Map<Digest, ManifestState>();
  return (digest) => {
    const known = memoized.get(digest);
    if (known) return known;
    const state = readManifest(dataDirectory, digest);
    // A client may be writing what is not there yet: the next to ask reads again.
    if (state.state === "parsed" && memoized.size < memoizedManifests) memoized.set(digest, state);
    return state;
  };
}
