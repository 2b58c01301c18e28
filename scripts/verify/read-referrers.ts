import { type Digest, splitDigest } from "../registry/digest.ts";
import { forEachBounded, stream } from "../source/bounded.ts";
import type { RepositoryFacts } from "../source/facts.ts";
import type { HttpRegistry } from "../source/http/registry.ts";
import { readServedFacts } from "../source/read-served.ts";
import type { LinkFact } from "../source/source.ts";

/** Ends of the tags under which what is about a manifest is found: OCI's own, then those of cosign. */
const tagEnds = ["", ".sig", ".att", ".sbom"];

/**
 * Signatures and other manifests about some manifests, with all that these need, by fallback tags and by the registry's
 * own list where it has one. Its entries are `roots`; what of it could not be read is a tag without a name.
 *
 * Source: OCI distribution spec, "Referrers Tag Schema"; cosign, "Signature storage".
 */
export async function readReferrers(
  source: Pick<HttpRegistry, "name" | "tag" | "tagNames" | "manifest" | "blob" | "referrers">,
  repository: string,
  subjects: readonly Digest[],
  concurrency: number,
): Promise<RepositoryFacts> {
  const tags: LinkFact[] = [];
  const roots: Digest[] = [];
  let keepsList = true;
  await forEachBounded(stream(subjects), concurrency, async (subject) => {
    tags.push(...(await readFallbackTags(source, repository, subject)));
    if (!keepsList) return;
    const listed = await source.referrers(repository, subject);
    if (listed === null) keepsList = false;
    for (const fact of listed ?? []) {
      if (fact.state === "listed") roots.push(fact.digest);
      else tags.push({ name: null, link: fact });
    }
  });
  return readServedFacts(source, repository, { tags, roots, limit: concurrency });
}

/** A listed tag that leads nowhere is damage; of a registry that lists no tags, only those that are there are known. */
async function readFallbackTags(
  source: Pick<HttpRegistry, "tag" | "tagNames">,
  repository: string,
  subject: Digest,
): Promise<readonly LinkFact[]> {
  const { algorithm, hex } = splitDigest(subject);
  const candidates = tagEnds.map((end) => `${algorithm}-${hex}${end}`);
  const listed = await source.tagNames(repository);
  const names = listed ? candidates.filter((name) => listed.has(name)) : candidates;
  const facts = await Promise.all(names.map((name) => source.tag(repository, name)));
  return facts.filter(({ link }) => listed !== null || link.state !== "missing");
}
