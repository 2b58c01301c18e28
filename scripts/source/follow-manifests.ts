import type { Digest } from "../registry/digest.ts";
import { forEachBounded, stream } from "./bounded.ts";
import type { ManifestState } from "./source.ts";

/** The given manifests and, level by level, those that they name: each once, also where indexes name each other. */
export async function followManifests(
  roots: Iterable<Digest>,
  limit: number,
  read: (digest: Digest) => Promise<ManifestState>,
): Promise<ReadonlyMap<Digest, ManifestState>> {
  const manifests = new Map<Digest, ManifestState>();
  for (let level = new Set(roots); level.size > 0; ) {
    await forEachBounded(stream(level), limit, async (digest) => {
      manifests.set(digest, await read(digest));
    });
    const named = [...level].flatMap((digest) => childrenOf(manifests.get(digest) ?? { state: "missing" }));
    level = new Set(named.filter((digest) => !manifests.has(digest)));
  }
  return manifests;
}

/** Children to read as well, because an index was read that names them. */
function childrenOf(state: ManifestState): readonly Digest[] {
  if (state.state !== "parsed" || state.manifest.type !== "index") return [];
  return state.manifest.children.map(({ digest }) => digest);
}
