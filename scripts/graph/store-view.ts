import type { Digest } from "../registry/digest.ts";
import { canonicalDigests, type StoreFacts } from "../source/facts.ts";
import type { BlobState, LinkFact, LinkState, ManifestState } from "../source/source.ts";
import { faultOfBlob } from "./defects.ts";
import type { Remains } from "./raw-finding.ts";
import { collectReferences, type References } from "./references.ts";

/** One repository of a store, as the registry sees it: what is not linked is not served, whatever the store holds. */
export interface StoreView {
  readonly facts: StoreFacts;
  /** Worked out when they are first asked for: nothing asks where all is sound. */
  readonly references: References;
  readonly links: Links;
  /** The blob behind a digest, also of one that was pushed by another algorithm: see {@link canonicalDigests}. */
  readonly blob: (digest: Digest) => BlobState;
  /** Whether a manifest and everything below it are in the store, linked or not, so that links alone would heal it. */
  readonly isComplete: (digest: Digest) => boolean;
  /** What is left of a manifest that is not linked. */
  readonly remainsOf: (digest: Digest) => Remains;
}

export interface Links {
  /** The link by which the repository serves a manifest; undefined without one. */
  readonly manifest: (digest: Digest) => LinkState | undefined;
  /** The link that a push writes for a manifest, whatever else serves it. */
  readonly revision: (digest: Digest) => LinkState | undefined;
  readonly layer: (digest: Digest) => LinkState | undefined;
  /** False when a list of links could not be read: then what is not in it is unknown. */
  readonly areManifestsKnown: boolean;
  readonly areLayersKnown: boolean;
}

export function viewStore(facts: StoreFacts): StoreView {
  const links = collectLinks(facts);
  const canonical = canonicalDigests(facts);
  const blob = (digest: Digest) => {
    const kept = canonical(digest);
    // Only a scan that reads the content knows anything of it by the digest under which it was pushed.
    const named = kept === digest ? undefined : facts.blob(digest);
    return named?.state === "present" && named.isAltered === true ? named : facts.blob(kept);
  };
  const isComplete = createIsComplete(facts.manifests, blob);
  const remainsOf = (digest: Digest) => describeRemains(facts.manifests.get(digest), blob, isComplete);
  let references: References | undefined;
  return {
    facts,
    get references() {
      references ??= collectReferences(facts);
      return references;
    },
    links,
    blob,
    isComplete,
    remainsOf,
  };
}

/**
 * Source: distribution v2.8.3, registry/storage/registry.go, Manifests: a manifest is also served by a layer link, because
 * 2.1.0 wrote those by mistake; linkedblobstore.go, Stat: only where that link is missing, not where it is bad.
 */
function collectLinks({ revisions, layerLinks }: StoreFacts): Links {
  const byRevision = byName(revisions);
  const byLayer = byName(layerLinks);
  const areLayersKnown = !byLayer.has(null);
  return {
    manifest: (digest) => byRevision.get(digest) ?? byLayer.get(digest),
    revision: (digest) => byRevision.get(digest),
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

function createIsComplete(
  manifests: StoreFacts["manifests"],
  blob: StoreView["blob"],
): (digest: Digest) => boolean {
  const known = new Map<Digest, boolean>();
  const isComplete = (digest: Digest): boolean => {
    const answer = known.get(digest);
    if (answer !== undefined) return answer;
    // What names itself in a circle cannot exist by its digests; here it only must not run for ever.
    known.set(digest, false);
    const state = manifests.get(digest);
    const is =
      state?.state === "parsed" &&
      state.manifest.children.every((child) => isComplete(child.digest)) &&
      state.manifest.blobs.every((part) => faultOfBlob(blob(part.digest), part) === undefined);
    known.set(digest, is);
    return is;
  };
  return isComplete;
}

function describeRemains(
  state: ManifestState | undefined,
  blob: StoreView["blob"],
  isComplete: (digest: Digest) => boolean,
): Remains {
  if (state?.state === "altered" || state?.state === "empty") return { content: "damaged" };
  if (state?.state !== "parsed") return { content: "missing" };
  const { children, blobs } = state.manifest;
  const lostChildren = children.filter(({ digest }) => !isComplete(digest)).length;
  if (children.length > 0)
    return { content: "complete", names: "children", total: children.length, missing: lostChildren };
  const lostBlobs = blobs.filter((part) => faultOfBlob(blob(part.digest), part)).length;
  return { content: "complete", names: "blobs", total: blobs.length, missing: lostBlobs };
}
