import type { Finding } from "../../contract/scan-report.ts";
import { type Digest, parseDigest } from "../registry/digest.ts";
import type { ManifestState } from "../source/source.ts";
import type { RepositoryFacts } from "./facts.ts";
import { lostChildMessage } from "./messages.ts";
import type { Reference, References } from "./references.ts";

/**
 * Manifests that an image index of this repository names, and that the repository does not link any more: the
 * registry answers 404 for them, whether their data is still in the store or not.
 *
 * Only for authoritative registries: a cache holds, of every index, what was once asked for.
 * Source: distribution registry/storage/manifeststore.go (a manifest is served by the repository's revision link).
 */
export function findLostChildren(facts: RepositoryFacts, references: References): readonly Finding[] {
  if (facts.mode !== "authoritative") return [];
  // Without the whole list of links nobody can say what is not in it; that it is unreadable is a finding already.
  const links = new Set(facts.revisions.map(({ name }) => name));
  if (links.has(null)) return [];
  const lost = [...references.mentioned.keys()].filter((digest) => !links.has(digest));
  return lost.flatMap((digest) => {
    const reference = references.mainReference(digest);
    return reference ? [lostChild(facts, references, digest, reference)] : [];
  });
}

function lostChild(
  facts: RepositoryFacts,
  references: References,
  digest: Digest,
  { parent, child }: Reference,
): Finding {
  const { tags, isForRealPlatform } = references.reachOf(digest);
  const state = facts.manifests.get(digest) ?? { state: "missing" };
  const isOnDisk = state.state === "parsed" || state.state === "unreadable";
  const remedy = isOnDisk ? "relink" : "rebuild";
  const { repository } = facts;
  const parts = countParts(facts, state);
  return {
    kind: "index-child",
    cause: "link-missing",
    severity: isForRealPlatform ? "critical" : "warning",
    registry: facts.registry,
    repository,
    digest,
    parent,
    tags,
    platform: child.platform,
    remedy,
    message: lostChildMessage({
      repository,
      digest,
      parent,
      tags,
      child,
      isForRealPlatform,
      isOnDisk,
      ...parts,
    }),
  };
}

/** How many of the manifest's own blobs survive: they decide whether putting the link back is enough. */
function countParts(facts: RepositoryFacts, state: ManifestState): { partsTotal: number; partsGone: number } {
  if (state.state !== "parsed" || state.manifest.type !== "image") return { partsTotal: 0, partsGone: 0 };
  const gone = state.manifest.blobs.filter(({ digest }) => facts.blob(digest).state === "missing");
  return { partsTotal: state.manifest.blobs.length, partsGone: gone.length };
}

/** Digests of the manifests that a repository's links lead to. */
export function linkedManifests(facts: Pick<RepositoryFacts, "revisions">): readonly Digest[] {
  return facts.revisions.flatMap(({ name, link }) => {
    if (link.state !== "linked" || name === null) return [];
    return parseDigest(name) ? [link.digest] : [];
  });
}
