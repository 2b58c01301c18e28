import type { Digest } from "../registry/digest.ts";
import { subjectOfTag } from "../registry/tag.ts";
import type { RawFinding } from "./raw-finding.ts";
import type { StoreView } from "./store-view.ts";

/**
 * Signatures and other artifacts about a manifest that the repository does not serve any more: found by their `subject`,
 * and by the tags that stand in for the referrers API. A subject that an index lost is reported as the index's child.
 */
export function findMissingSubjects(view: StoreView): readonly RawFinding[] {
  const { facts, links, references } = view;
  if (facts.mode === "cache" || !links.areManifestsKnown) return [];
  const isMissing = (subject: Digest) => !links.manifest(subject) && !references.mentioned.has(subject);
  const tagged = new Set(facts.tags.flatMap(({ link }) => (link.state === "linked" ? [link.digest] : [])));
  return [...collectSubjects(view)].flatMap(([subject, { tags, referrers }]) => {
    if (!isMissing(subject) || tagged.has(subject)) return [];
    const reaching = referrers.flatMap((referrer) => references.reachOf(referrer).tags);
    return [
      {
        kind: "referrer",
        cause: "subject-missing",
        severity: "warning",
        registry: facts.registry,
        repository: facts.repository,
        digest: subject,
        parent: referrers[0] ?? null,
        tags: [...new Set([...tags, ...reaching])].sort(),
        platform: null,
        place: null,
        // Whether the image was removed on purpose cannot be seen here.
        remedy: "none",
      },
    ];
  });
}

interface Referrers {
  readonly tags: string[];
  readonly referrers: Digest[];
}

/** All subjects, each with the tags and manifests that are about it. */
function collectSubjects({ facts, links }: StoreView): ReadonlyMap<Digest, Referrers> {
  const found = new Map<Digest, Referrers>();
  const of = (subject: Digest): Referrers => {
    const about = found.get(subject) ?? { tags: [], referrers: [] };
    found.set(subject, about);
    return about;
  };
  for (const { name } of facts.tags) {
    const subject = name === null ? undefined : subjectOfTag(name);
    if (name !== null && subject) of(subject).tags.push(name);
  }
  for (const [digest, state] of facts.manifests)
    if (state.state === "parsed" && state.manifest.subject && links.manifest(digest))
      of(state.manifest.subject).referrers.push(digest);
  return found;
}
