import type { Digest } from "../registry/digest.ts";
import { blobDataPath } from "../registry/paths.ts";
import { subjectOfTag } from "../registry/tag.ts";
import {
  childrenOf,
  collectReach,
  type DamagedRepository,
  manifestOf,
  type Root,
} from "./damaged-repository.ts";
import { blobNeeds, ownNeed } from "./needs.ts";

/** What to type for an image that stays damaged, line by line. */
export function hintsFor(
  { tag, digest, fault }: Root,
  repository: DamagedRepository,
  { instance, tagLinks }: { readonly instance: string; readonly tagLinks: boolean },
): readonly string[] {
  const name = `${instance}/${repository.view.facts.repository}`;
  if (tag === null)
    return [`# no tag leads to ${digest}; if clients pull it by its digest: build and push it again`];
  const reach = collectReach(repository, digest === null ? [] : [digest]);
  if (fault && digest !== null && !tagLinks)
    return [
      `# add --tag-links to point it at ${digest}, the only manifest that it ever led to, or:`,
      push(name, tag, reach, repository),
    ];
  const aside = setAside(reach, repository);
  const subject = subjectOfTag(tag);
  if (subject && tag.endsWith(".sig")) return [...aside, `cosign sign --yes ${name}@${subject}`];
  if (subject)
    return [
      ...aside,
      `# attach again what was attached to ${name}@${subject} (signature, attestation, SBOM)`,
    ];
  if (digest !== null && isBuildCache(digest, repository))
    return [...aside, `# the next build with --cache-to type=registry,ref=${name}:${tag} writes it again`];
  return [...aside, push(name, tag, reach, repository)];
}

function push(name: string, tag: string, reach: ReadonlySet<Digest>, repository: DamagedRepository): string {
  const named = [...reach].flatMap((digest) =>
    childrenOf(repository, digest).flatMap(({ platform }) => platform ?? []),
  );
  const platforms = [...new Set(named)].filter((platform) => platform !== "unknown/unknown");
  const choice = platforms.length > 0 ? ` --platform ${platforms.join(",")}` : "";
  return `docker buildx build --push${choice} --tag ${name}:${tag} .`;
}

/** An index of blobs alone, as BuildKit writes for its cache. */
function isBuildCache(digest: Digest, repository: DamagedRepository): boolean {
  const manifest = manifestOf(repository, digest)?.manifest;
  return manifest?.type === "index" && manifest.children.length === 0 && manifest.blobs.length > 0;
}

/** A push skips what is there already, sound or not; so what is damaged must be moved away before. */
function setAside(reach: ReadonlySet<Digest>, repository: DamagedRepository): readonly string[] {
  const needs = [...reach].flatMap((digest) => [
    ownNeed(repository, digest),
    ...blobNeeds(repository, digest),
  ]);
  const damaged = needs.filter(({ content }) => content?.isThere && content.canReplace);
  const paths = new Set(damaged.map(({ target }) => blobDataPath("", target)));
  if (paths.size === 0) return [];
  return [
    "# in the registry's data directory; then restart the registry if it has a descriptor cache:",
    ...[...paths].map((path) => `mv ${path} ${path}.damaged`),
  ];
}
