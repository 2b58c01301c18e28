import type { StoreView } from "../graph/store-view.ts";
import { type Digest, digestOf, isDigestOfNothing, splitDigest } from "../registry/digest.ts";
import type { BlobDescriptor } from "../registry/manifest.ts";
import type { StoreSource } from "../source/source.ts";
import { isSound, type VerifiedBlobs } from "../source/verified-blobs.ts";

/**
 * The digest under which the store keeps content that was pushed under another algorithm, compared with that digest; null
 * when the store has other content, or none that can be found. Undefined when the digest needs no such answer: it is the
 * store's own, or its link leads to content that is missing or bad, which a copy can replace.
 *
 * A push leaves a link under each of the two digests, so a lost link is found again by the other.
 * Source: distribution v2.8.3, registry/storage/linkedblobstore.go, linkBlob.
 */
export async function findCanonical(
  { digest, sizeBytes }: BlobDescriptor,
  { facts, links }: StoreView,
  { source, verified }: { readonly source: Pick<StoreSource, "blob">; readonly verified: VerifiedBlobs },
): Promise<Digest | null | undefined> {
  if (isCanonical(digest)) return undefined;
  if (isDigestOfNothing(digest)) return digestOf(new Uint8Array());
  const holds = async (kept: Digest) =>
    isSound(await verified(kept, digest)) && isSound(await verified(kept));
  const link = links.layer(digest);
  if (link?.state === "linked") {
    if (await holds(link.digest)) return link.digest;
    if (!isSound(await verified(link.digest))) return undefined;
  }
  for (const { link: other } of facts.layerLinks) {
    if (other.state !== "linked" || !isCanonical(other.digest)) continue;
    const state = await source.blob(facts.repository, other.digest);
    if (state.state !== "present" || state.sizeBytes !== (sizeBytes ?? state.sizeBytes)) continue;
    if (await holds(other.digest)) return other.digest;
  }
  return null;
}

function isCanonical(digest: Digest): boolean {
  return splitDigest(digest).algorithm === "sha256";
}
