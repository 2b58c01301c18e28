import type { RegistryMode } from "../../contract/scan-report.ts";
import type { RepositoryFacts } from "../graph/facts.ts";
import { linkedManifests } from "../graph/index-children.ts";
import type { Digest } from "../registry/digest.ts";
import { collect } from "../source/bounded.ts";
import { filesAtATime } from "../source/disk/files.ts";
import { followManifests } from "../source/follow-manifests.ts";
import type { ManifestState, StoreSource } from "../source/source.ts";

/** Manifests by digest, read once for all repositories that share them. */
export type ManifestCache = Map<Digest, Promise<ManifestState>>;

/** Reads everything about one repository except the blobs, which are asked through `blob`. */
export async function readRepository(
  source: StoreSource,
  mode: RegistryMode,
  repository: string,
  shared: { readonly cache: ManifestCache; readonly blob: RepositoryFacts["blob"] },
): Promise<RepositoryFacts> {
  // Tags first, blobs last: a push writes in the other order, so what is seen to be needed was written before.
  const tags = await collect(source.tags(repository));
  const revisions = await collect(source.revisions(repository));
  const layerLinks = await collect(source.layerLinks(repository));
  const read = (digest: Digest) => readOnce(source, repository, digest, shared.cache);
  const manifests = await followManifests(linkedManifests({ revisions }), filesAtATime, read);
  return {
    registry: source.name,
    mode,
    repository,
    tags,
    revisions,
    layerLinks,
    manifests,
    blob: shared.blob,
  };
}

async function readOnce(
  source: StoreSource,
  repository: string,
  digest: Digest,
  cache: ManifestCache,
): Promise<ManifestState> {
  const known = cache.get(digest);
  if (known) return known;
  const reading = source.manifest(repository, digest);
  cache.set(digest, reading);
  const state = await reading;
  // What is not there may have been in the making: whoever asks again deserves a fresh look.
  if (state.state !== "parsed") cache.delete(digest);
  return state;
}
