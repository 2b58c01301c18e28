import type { RegistryMode } from "../../contract/finding.ts";
import type { Digest } from "../registry/digest.ts";
import { collect } from "./bounded.ts";
import { rootManifests, type StoreFacts } from "./facts.ts";
import type { LinkFact, ManifestState, StoreSource } from "./source.ts";
import { walkManifests } from "./walk-manifests.ts";

/** Manifests of one repository that are read at a time, from a source that answers later. */
const manifestsAtATime = 16;

/** How manifests and blobs are read: both may be known already. */
export interface StoreReads {
  /** Manifests to read beside those that links lead to. @default none */
  readonly roots?: readonly Digest[];
  readonly manifest: (repository: string, digest: Digest) => Promise<ManifestState>;
  readonly blob: StoreFacts["blob"];
  /** Whether the times of the tags' links are wanted. */
  readonly withTagTimes?: boolean;
}

/** Reads everything about one repository except the blobs, which are asked through `blob`. */
export async function readStoreFacts(
  source: StoreSource,
  mode: RegistryMode,
  repository: string,
  { roots = [], manifest, blob, withTagTimes = false }: StoreReads,
): Promise<StoreFacts> {
  // Tags first, blobs last: a push writes in the other order, so what is seen to be needed was written before.
  const tags = await collect(source.tags(repository, { withTimes: withTagTimes }));
  const revisions = await collect(source.revisions(repository));
  const layerLinks = await collect(source.layerLinks(repository));
  const read = (digest: Digest) => manifest(repository, digest);
  const manifests = await walkManifests({
    roots: [...rootManifests({ tags, revisions }), ...roots],
    limit: manifestsAtATime,
    read,
    isBlob: createIsBlob({ revisions, layerLinks, read }),
  });
  return { registry: source.name, mode, repository, tags, roots, revisions, layerLinks, manifests, blob };
}

/**
 * Whether an entry of an index is a blob: the repository does not link it as a manifest, and its content is none. Where
 * the content is missing, its link says what it was.
 *
 * Source: distribution v2.8.3, registry/storage/manifestlisthandler.go and linkedblobstore.go: an entry may have a layer
 * link in place of a revision link.
 */
function createIsBlob({
  revisions,
  layerLinks,
  read,
}: Pick<StoreFacts, "revisions" | "layerLinks"> & {
  readonly read: (digest: Digest) => Promise<ManifestState>;
}): (digest: Digest) => Promise<boolean> {
  let links: { readonly manifests: ReadonlySet<string | null>; readonly layers: ReadonlySet<string | null> };
  const namesOf = (facts: readonly LinkFact[]) => new Set(facts.map(({ name }) => name));
  return async (digest) => {
    // Nearly no repository has such an entry.
    links ??= { manifests: namesOf(revisions), layers: namesOf(layerLinks) };
    if (links.manifests.has(digest)) return false;
    const state = await read(digest);
    if (state.state === "unreadable" && state.isUnparsable === true) return true;
    return links.layers.has(digest) && state.state !== "parsed";
  };
}
