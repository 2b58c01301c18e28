import type { Digest } from "../registry/digest.ts";
import type { BlobDescriptor, ChildDescriptor } from "../registry/manifest.ts";
import { type DamagedRepository, manifestOf } from "./damaged-repository.ts";
import { type Fault, faultOfContent, faultOfLink, faultOfManifest, notInStore, unreadable } from "./fault.ts";

/** A manifest, configuration or layer that an image needs: its content in the store, and its link in the repository. */
export interface Need {
  readonly digest: Digest;
  readonly role: BlobDescriptor["role"] | "manifest";
  /** The digest under which the store keeps the content, and which the link holds. */
  readonly target: Digest;
  /** As the manifest says; null where it does not. */
  readonly sizeBytes: number | null;
  /** Why the content is of no use; undefined when it is sound. */
  readonly content: Fault | undefined;
  readonly link: Fault | undefined;
}

/** A manifest's own content and link. */
export function ownNeed(repository: DamagedRepository, digest: Digest): Need {
  const { facts, links } = repository.view;
  const link = links.manifest(digest);
  const content = faultOfManifest(facts.manifests.get(digest) ?? { state: "missing" });
  const need = { digest, role: "manifest", target: digest, sizeBytes: null, content } as const;
  if (!link && !links.areManifestsKnown) return { ...need, link: unlisted };
  // A layer link serves a manifest too, but what is written is a link of its own kind.
  return { ...need, link: link?.state === "linked" ? undefined : faultOfLink(links.revision(digest)) };
}

/** The blobs that a manifest names. What was pushed under another algorithm needs the link of its target as well. */
export function blobNeeds(repository: DamagedRepository, digest: Digest): readonly Need[] {
  const blobs = manifestOf(repository, digest)?.manifest.blobs ?? [];
  return blobs.flatMap((blob) => {
    const target = targetOf(repository, blob.digest);
    const content = repository.canonical.get(blob.digest) === null ? notInStore : undefined;
    const need = {
      ...blob,
      target,
      content: content ?? faultOfContent(repository.view.facts.blob(target), blob),
      link: faultOfLayerLink(repository, blob.digest, target),
    };
    if (target === blob.digest) return [need];
    const link = faultOfLayerLink(repository, target, target);
    return [need, { ...need, digest: target, content: undefined, link }];
  });
}

/**
 * The digest under which a store keeps what a repository knows by another: what was pushed under another algorithm.
 *
 * Source: distribution v2.8.3, registry/storage/linkedblobstore.go, linkBlob.
 */
export function targetOf(
  { view, canonical }: Pick<DamagedRepository, "view" | "canonical">,
  digest: Digest,
): Digest {
  const link = view.links.layer(digest);
  return canonical.get(digest) ?? (link?.state === "linked" ? link.digest : digest);
}

/** How an index is wrong about the length of a child, which clients compare; undefined when it is right. */
export function wrongSizeOf(
  repository: DamagedRepository,
  { digest, sizeBytes: promised }: ChildDescriptor,
): string | undefined {
  const actual = manifestOf(repository, digest)?.sizeBytes;
  if (promised === undefined || actual === undefined || actual === promised) return undefined;
  return `has ${actual} bytes, as its digest says, but the index promises ${promised}`;
}

function faultOfLayerLink({ view }: DamagedRepository, digest: Digest, target: Digest): Fault | undefined {
  const link = view.links.layer(digest);
  if (!link && !view.links.areLayersKnown) return unlisted;
  if (link?.state !== "linked" || link.digest === target) return faultOfLink(link);
  const reason = `leads to ${link.digest}, which is other content`;
  return { cause: "link-invalid", reason, isThere: true, canReplace: true };
}

const unlisted = unreadable("its list of links is unreadable");
