import type { RegistryMode } from "../../contract/finding.ts";
import { type Digest, parseDigest } from "../registry/digest.ts";
import type { BlobState, LinkFact, ManifestState } from "./source.ts";

/** What a registry answered about one repository. */
export interface RepositoryFacts {
  readonly registry: string;
  readonly repository: string;
  readonly tags: readonly LinkFact[];
  /** Manifests that were asked for by their digests, without a tag. */
  readonly roots?: readonly Digest[];
  /** Of all that tags, roots and links lead to, and of all below, linked or not. */
  readonly manifests: ReadonlyMap<Digest, ManifestState>;
  /** A blob that these manifests name; undefined for one that was not asked for. */
  readonly blob: (digest: Digest) => BlobState | undefined;
}

/** Everything that a store holds about one repository. */
export interface StoreFacts extends RepositoryFacts {
  readonly mode: RegistryMode;
  readonly revisions: readonly LinkFact[];
  readonly layerLinks: readonly LinkFact[];
  /** Any blob of the store, linked or not. */
  readonly blob: (digest: Digest) => BlobState;
}

/** Digests of the manifests that a repository's links lead to. */
export function linkedManifests({ revisions }: Pick<StoreFacts, "revisions">): readonly Digest[] {
  return revisions.flatMap(({ name, link }) => {
    if (link.state !== "linked" || name === null) return [];
    return parseDigest(name) ? [link.digest] : [];
  });
}

/** Where to begin reading: what links lead to, what their names promise, and what tags point at. */
export function rootManifests({
  tags,
  revisions,
}: Pick<StoreFacts, "tags" | "revisions">): ReadonlySet<Digest> {
  const roots = new Set(linkedManifests({ revisions }));
  for (const { link } of tags) if (link.state === "linked") roots.add(link.digest);
  for (const { name, link } of revisions) {
    const promised = link.state === "invalid" ? parseDigest(name ?? "") : undefined;
    if (promised) roots.add(promised);
  }
  return roots;
}

/**
 * The digest under which the store keeps a blob or manifest. What was pushed by another algorithm is kept under its
 * canonical digest alone, which the content of the repository's link says.
 *
 * Source: distribution v2.8.3, registry/storage/linkedblobstore.go, linkBlob.
 */
export function canonicalDigests({
  revisions,
  layerLinks,
}: Pick<StoreFacts, "revisions" | "layerLinks">): (digest: Digest) => Digest {
  const aliases = new Map<string, Digest>();
  for (const links of [revisions, layerLinks])
    for (const { name, link } of links)
      if (name !== null && link.state === "linked" && link.digest !== name) aliases.set(name, link.digest);
  return (digest) => aliases.get(digest) ?? digest;
}
