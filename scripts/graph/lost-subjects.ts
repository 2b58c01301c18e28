import type { Finding } from "../../contract/scan-report.ts";
import type { Digest } from "../registry/digest.ts";
import { subjectOfTag } from "../registry/tag.ts";
import { lostSubjectMessage } from "./messages.ts";
import type { StoreView } from "./store-view.ts";

/**
 * Signatures and other artefacts about a manifest that the repository does not serve any more: found by their `subject`,
 * and by the tags that stand in for the referrers API. A subject that an index lost is told as the index's child.
 */
export function findLostSubjects(view: StoreView): readonly Finding[] {
  const { facts, links, references } = view;
  if (facts.mode === "cache" || !links.areManifestsKnown) return [];
  const isLost = (subject: Digest) => !links.manifest(subject) && !references.mentioned.has(subject);
  const tagged = new Set(facts.tags.flatMap(({ link }) => (link.state === "linked" ? [link.digest] : [])));
  const about = collectAbout(view);
  return [...about].flatMap(([subject, { tags, referrers }]) => {
    if (!isLost(subject) || tagged.has(subject)) return [];
    const reaching = referrers.flatMap((referrer) => references.reachOf(referrer).tags);
    const finding = {
      kind: "referrer",
      cause: "subject-missing",
      severity: "warning",
      registry: facts.registry,
      repository: facts.repository,
      digest: subject,
      parent: referrers[0] ?? null,
      tags: [...new Set([...tags, ...reaching])].sort(),
      platform: null,
      // Whether the image was removed on purpose, nobody can see here.
      remedy: "none",
    } as const;
    return [{ ...finding, message: lostSubjectMessage(finding) }];
  });
}

interface About {
  readonly tags: string[];
  readonly referrers: Digest[];
}

/** All subjects, each with what is about it. */
function collectAbout({ facts, links }: StoreView): ReadonlyMap<Digest, About> {
  const found = new Map<Digest, About>();
  const aboutOf = (subject: Digest): About => {
    const about = found.get(subject) ?? { tags: [], referrers: [] };
    found.set(subject, about);
    return about;
  };
  for (const { name } of facts.tags) {
    const subject = name === null ? undefined : subjectOfTag(name);
    if (name !== null && subject) aboutOf(subject).tags.push(name);
  }
  for (const [digest, state] of facts.manifests)
    if (state.state === "parsed" && state.manifest.subject && links.manifest(digest))
      aboutOf(state.manifest.subject).referrers.push(digest);
  return found;
}
