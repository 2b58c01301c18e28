import type { Digest } from "../registry/digest.ts";
import type { LinkFact, LinkState, ManifestState } from "../source/source.ts";
import type { RepositoryFacts } from "./facts.ts";
import { faultOfBlob } from "./parts.ts";
import { collectReferences, type References } from "./references.ts";

/** One repository of a store, as the registry sees it: what is not linked is not served, whatever the store holds. */
export interface StoreView {
  readonly facts: RepositoryFacts;
  readonly references: References;
  readonly links: Links;
  /** Whether a manifest and everything below it are in the store, linked or not, so that links alone would heal it. */
  readonly isWhole: (digest: Digest) => boolean;
}

export interface Links {
  /** The link by which the repository serves a manifest; undefined without one. */
  readonly manifest: (digest: Digest) => LinkState | undefined;
  readonly layer: (digest: Digest) => LinkState | undefined;
  /** False when a list of links could not be read: then nobody can say what is not in it. */
  readonly areManifestsKnown: boolean;
  readonly areLayersKnown: boolean;
}

export function viewStore(facts: RepositoryFacts): StoreView {
  return {
    facts,
    references: collectReferences(facts),
    links: collectLinks(facts),
    isWhole: createIsWhole(facts),
  };
}

/**
 * Source: distribution v2.8.3, registry/storage/registry.go, Manifests: a manifest is also served by a layer link, because
 * 2.1.0 wrote those by mistake; linkedblobstore.go, Stat: only a missing link lets it look there, not a bad one.
 */
function collectLinks({ revisions, layerLinks }: RepositoryFacts): Links {
  const byRevision = byName(revisions);
  const byLayer = byName(layerLinks);
  const areLayersKnown = !byLayer.has(null);
  return {
    manifest: (digest) => byRevision.get(digest) ?? byLayer.get(digest),
    layer: (digest) => byLayer.get(digest),
    areManifestsKnown: !byRevision.has(null) && areLayersKnown,
    areLayersKnown,
  };
}

function byName(links: readonly LinkFact[]): ReadonlyMap<string | null, LinkState> {
  const states = new Map<string | null, LinkState>();
  for (const { name, link } of links) states.set(name, link);
  return states;
}

function createIsWhole(facts: RepositoryFacts): (digest: Digest) => boolean {
  const known = new Map<Digest, boolean>();
  const isWhole = (digest: Digest): boolean => {
    const answer = known.get(digest);
    if (answer !== undefined) return answer;
    // What names itself in a circle cannot exist by its digests; here it only must not run for ever.
    known.set(digest, false);
    const isSo = areAllBelow(facts, facts.manifests.get(digest), isWhole);
    known.set(digest, isSo);
    return isSo;
  };
  return isWhole;
}

function areAllBelow(
  { blob }: RepositoryFacts,
  state: ManifestState | undefined,
  isWhole: (digest: Digest) => boolean,
): boolean {
  if (state?.state !== "parsed") return false;
  const { manifest } = state;
  if (manifest.type === "index") return manifest.children.every((child) => isWhole(child.digest));
  return manifest.blobs.every((part) => faultOfBlob(blob(part.digest), part) === undefined);
}
