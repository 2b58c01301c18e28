import type { Digest } from "../../../scripts/registry/digest.ts";
import type { ChildDescriptor, Manifest } from "../../../scripts/registry/manifest.ts";
import type { StoreFacts } from "../../../scripts/source/facts.ts";
import type { LinkFact, ManifestState } from "../../../scripts/source/source.ts";

/** What a reader gives, by hand: for tests of what is concluded from it. */

/** A digest of one hexadecimal digit, repeated. */
export function d(digit: string): Digest {
  return `sha256:${digit.repeat(64)}`;
}

/** A tag, or another link that holds a digest. */
export function link(name: string, digest: Digest): LinkFact {
  return { name, link: { state: "linked", digest } };
}

/** Links as they should be: each holds the digest that it is named by. */
export function linked(...digests: readonly Digest[]): LinkFact[] {
  return digests.map((digest) => link(digest, digest));
}

/** A manifest; what is not named is empty. */
export function parsed(
  manifest: Partial<Manifest> & Pick<Manifest, "type">,
  sizeBytes?: number,
): ManifestState {
  const complete = { children: [], blobs: [], ...manifest };
  return { state: "parsed", manifest: complete, ...(sizeBytes !== undefined && { sizeBytes }) };
}

/** An entry of an index. */
export function child(digest: Digest, more: Partial<ChildDescriptor> = {}): ChildDescriptor {
  return { digest, platform: "linux/amd64", isAttestation: false, ...more };
}

/** The facts of one repository; what is not named is empty, and no blob is missing. */
export function storeFacts(own: Partial<StoreFacts>): StoreFacts {
  return {
    registry: "private",
    mode: "authoritative",
    repository: "app",
    tags: [],
    revisions: [],
    layerLinks: [],
    manifests: new Map(),
    blob: () => ({ state: "present", sizeBytes: 1 }),
    ...own,
  };
}
