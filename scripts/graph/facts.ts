import type { RegistryMode } from "../../contract/scan-report.ts";
import { type Digest, parseDigest } from "../registry/digest.ts";
import type { BlobState, LinkFact, ManifestState } from "../source/source.ts";

/** Everything that was read about one repository: all that the graph ever looks at. */
export interface RepositoryFacts {
  readonly registry: string;
  readonly mode: RegistryMode;
  readonly repository: string;
  readonly tags: readonly LinkFact[];
  readonly revisions: readonly LinkFact[];
  readonly layerLinks: readonly LinkFact[];
  /** Of all that tags and links lead to, and of all below, linked or not. */
  readonly manifests: ReadonlyMap<Digest, ManifestState>;
  /** Any blob of the store, linked or not. */
  readonly blob: (digest: Digest) => BlobState;
}

/** Digests of the manifests that a repository's links lead to. */
export function linkedManifests(facts: Pick<RepositoryFacts, "revisions">): readonly Digest[] {
  return facts.revisions.flatMap(({ name, link }) => {
    if (link.state !== "linked" || name === null) return [];
    return parseDigest(name) ? [link.digest] : [];
  });
}

/** Where to begin reading: what links lead to, what their names promise, and what tags point at. */
export function rootManifests({
  tags,
  revisions,
}: Pick<RepositoryFacts, "tags" | "revisions">): ReadonlySet<Digest> {
  const roots = new Set(linkedManifests({ revisions }));
  for (const { link } of tags) if (link.state === "linked") roots.add(link.digest);
  for (const { name, link } of revisions) {
    const promised = link.state === "invalid" ? parseDigest(name ?? "") : undefined;
    if (promised) roots.add(promised);
  }
  return roots;
}
