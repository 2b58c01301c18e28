import { createHash } from "node:crypto";
import type { StoreView } from "../graph/store-view.ts";
import { type Digest, digestOf, isDigestOfNothing, splitDigest } from "../registry/digest.ts";
import type { BlobDescriptor } from "../registry/manifest.ts";
import type { Pace, StoreSource } from "../source/source.ts";
import { isSound, type VerifiedBlobs } from "../source/verified-blobs.ts";

interface Reads {
  readonly source: Pick<StoreSource, "content" | "blob">;
  readonly verified: VerifiedBlobs;
  readonly pace: Pace;
}

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
  reads: Reads,
): Promise<Digest | null | undefined> {
  if (isCanonical(digest)) return undefined;
  if (isDigestOfNothing(digest)) return digestOf(new Uint8Array());
  const link = links.layer(digest);
  if (link?.state === "linked") {
    if (!isSound(await reads.verified(link.digest))) return undefined;
    if (await isContentOf(digest, link.digest, facts.repository, reads)) return link.digest;
  }
  for (const { link: other } of facts.layerLinks) {
    if (other.state !== "linked" || !isCanonical(other.digest)) continue;
    const state = await reads.source.blob(facts.repository, other.digest);
    if (state.state !== "present" || state.sizeBytes !== (sizeBytes ?? state.sizeBytes)) continue;
    if (await isContentOf(digest, other.digest, facts.repository, reads)) return other.digest;
  }
  return null;
}

function isCanonical(digest: Digest): boolean {
  return splitDigest(digest).algorithm === "sha256";
}

/** Whether what the store keeps under one digest is what another stands for. Unreadable content is not. */
async function isContentOf(
  digest: Digest,
  canonical: Digest,
  repository: string,
  { source, pace, verified }: Reads,
): Promise<boolean> {
  const { algorithm, hex } = splitDigest(digest);
  const hash = createHash(algorithm);
  try {
    for await (const piece of source.content(repository, canonical, "blob")) {
      hash.update(piece);
      await pace(piece.byteLength);
    }
  } catch {
    return false;
  }
  return hash.digest("hex") === hex && isSound(await verified(canonical));
}
