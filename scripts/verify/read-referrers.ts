import type { ServedFacts } from "../graph/served-parts.ts";
import { type Digest, splitDigest } from "../registry/digest.ts";
import { forEachBounded, stream } from "../source/bounded.ts";
import { followManifests } from "../source/follow-manifests.ts";
import type { HttpRegistry } from "../source/http/registry.ts";
import type { BlobState, LinkFact } from "../source/source.ts";

/** Ends of the tags under which what is about a manifest is found: OCI's own, then those of cosign. */
const tagEnds = ["", ".sig", ".att", ".sbom"];

/**
 * Signatures and other manifests about some manifests, with all that these need, by fallback tags and by the registry's
 * own list where it has one. As of an image: `tags` are the fallback tags, and the digests that the list names.
 *
 * Source: OCI distribution spec, "Referrers Tag Schema"; cosign, "Signature storage".
 */
export async function readReferrers(
  source: Pick<HttpRegistry, "name" | "tag" | "manifest" | "blob" | "referrers">,
  repository: string,
  subjects: readonly Digest[],
  concurrency: number,
): Promise<ServedFacts> {
  const tags: LinkFact[] = [];
  let keepsList = true;
  await forEachBounded(stream(subjects), concurrency, async (subject) => {
    tags.push(...(await readFallbackTags(source, repository, subject)));
    if (!keepsList) return;
    const listed = await source.referrers(repository, subject);
    if (listed === null) keepsList = false;
    for (const fact of listed ?? []) {
      if (fact.state === "listed")
        tags.push({ name: fact.digest, link: { state: "linked", digest: fact.digest } });
      else tags.push({ name: null, link: fact });
    }
  });
  const roots = new Set(tags.flatMap(({ link }) => (link.state === "linked" ? [link.digest] : [])));
  const manifests = await followManifests(roots, concurrency, (digest) =>
    source.manifest(repository, digest),
  );
  const blobs = new Map<Digest, BlobState>();
  const named = new Set(
    [...manifests.values()].flatMap((state) =>
      state.state === "parsed" && state.manifest.type === "image"
        ? state.manifest.blobs.map(({ digest }) => digest)
        : [],
    ),
  );
  await forEachBounded(stream(named), concurrency, async (digest) => {
    blobs.set(digest, await source.blob(repository, digest));
  });
  return { registry: source.name, repository, tags, manifests, blobs };
}

async function readFallbackTags(
  source: Pick<HttpRegistry, "tag">,
  repository: string,
  subject: Digest,
): Promise<readonly LinkFact[]> {
  const { algorithm, hex } = splitDigest(subject);
  const links = await Promise.all(
    tagEnds.map(async (end) => {
      const name = `${algorithm}-${hex}${end}`;
      return { name, link: await source.tag(repository, name) };
    }),
  );
  // Most images have none of them.
  return links.filter(({ link }) => link.state !== "invalid");
}
