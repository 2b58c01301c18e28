import type { ServedFacts } from "../graph/served-parts.ts";
import type { Digest } from "../registry/digest.ts";
import { collect, forEachBounded, stream } from "../source/bounded.ts";
import { followManifests } from "../source/follow-manifests.ts";
import type { BlobState, RegistrySource } from "../source/source.ts";

/**
 * Asks for everything that the tags of one repository need, each digest once: tags first, blobs last, as a push writes
 * in the other order. `only`: these tags alone, as far as they are still there.
 */
export async function readServed(
  source: RegistrySource,
  repository: string,
  limit: number,
  only?: ReadonlySet<string>,
): Promise<ServedFacts> {
  const listed = await collect(source.tags(repository));
  const tags = listed.filter(({ name }) => name === null || !only || only.has(name));
  const roots = tags.flatMap(({ link }) => (link.state === "linked" ? [link.digest] : []));
  const manifests = await followManifests(new Set(roots), limit, (digest) =>
    source.manifest(repository, digest),
  );
  const blobs = new Map<Digest, BlobState>();
  await forEachBounded(stream(blobsOf(manifests)), limit, async (digest) => {
    blobs.set(digest, await source.blob(repository, digest));
  });
  return { registry: source.name, repository, tags, manifests, blobs };
}

function blobsOf(manifests: ServedFacts["manifests"]): ReadonlySet<Digest> {
  const digests = [...manifests.values()].flatMap((state) =>
    state.state === "parsed" && state.manifest.type === "image"
      ? state.manifest.blobs.map(({ digest }) => digest)
      : [],
  );
  return new Set(digests);
}
