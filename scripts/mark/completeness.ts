import { viewStore } from "../graph/store-view.ts";
import type { Digest } from "../registry/digest.ts";
import type { StoreFacts } from "../source/facts.ts";

/**
 * Whether a repository serves a manifest and everything below it: links and blobs. What is missing for the registry's
 * checks, but is no part of the content (subjects, foreign layers), is not asked.
 */
export function createCompleteness(facts: StoreFacts): (digest: Digest) => boolean {
  const { links, isComplete } = viewStore(facts);
  const linked = new Map<Digest, boolean>();
  const isLinked = (digest: Digest): boolean => {
    const known = linked.get(digest);
    if (known !== undefined) return known;
    linked.set(digest, true);
    const state = facts.manifests.get(digest);
    const is =
      links.manifest(digest)?.state === "linked" &&
      state?.state === "parsed" &&
      state.manifest.children.every((child) => isLinked(child.digest)) &&
      state.manifest.blobs.every((blob) => links.layer(blob.digest)?.state === "linked");
    linked.set(digest, is);
    return is;
  };
  return (digest) => isLinked(digest) && isComplete(digest);
}
