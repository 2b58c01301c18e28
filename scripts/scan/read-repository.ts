import type { RegistryMode } from "../../contract/scan-report.ts";
import { type RepositoryFacts, rootManifests } from "../graph/facts.ts";
import { collect } from "../source/bounded.ts";
import { followManifests } from "../source/follow-manifests.ts";
import type { StoreSource } from "../source/source.ts";
import type { ReadManifest } from "./check-repository.ts";

/** Manifests of one repository that are read at a time, from a source that lets one wait. */
const manifestsAtATime = 16;

/** Reads everything about one repository except the blobs, which are asked through `blob`. */
export async function readRepository(
  source: StoreSource,
  mode: RegistryMode,
  repository: string,
  shared: { readonly manifest: ReadManifest; readonly blob: RepositoryFacts["blob"] },
): Promise<RepositoryFacts> {
  // Tags first, blobs last: a push writes in the other order, so what is seen to be needed was written before.
  const tags = await collect(source.tags(repository));
  const revisions = await collect(source.revisions(repository));
  const layerLinks = await collect(source.layerLinks(repository));
  const read = (digest: Parameters<ReadManifest>[1]) => shared.manifest(repository, digest);
  const manifests = await followManifests(rootManifests({ tags, revisions }), manifestsAtATime, read);
  const own = { registry: source.name, mode, repository };
  return { ...own, tags, revisions, layerLinks, manifests, blob: shared.blob };
}
