import type { StoreView } from "../graph/store-view.ts";
import type { Digest } from "../registry/digest.ts";
import type { ChildDescriptor } from "../registry/manifest.ts";
import { isTagName } from "../registry/tag.ts";
import { rootManifests } from "../source/facts.ts";
import { type Fault, faultOfLink } from "./fault.ts";
import type { ParsedManifest } from "./find-copies.ts";

/** One repository with damage, read again: all that a plan is made from. */
export interface DamagedRepository {
  /** The facts of the store. The blobs of damaged images were read to their end. */
  readonly view: StoreView;
  /** Manifests that the store does not have any more, as other registries have them. */
  readonly copied: ReadonlyMap<Digest, ParsedManifest>;
  /** Of a tag without a usable link, the only manifest that it ever led to. */
  readonly history: ReadonlyMap<string, Digest>;
  /**
   * Of content that was pushed under another algorithm than the store's own, the digest under which it was found there
   * and compared, if it was searched; null when it is not in the store.
   */
  readonly canonical: ReadonlyMap<Digest, Digest | null>;
}

/** Something that clients pull: a tag, or a manifest that no tag leads to. */
export interface Root {
  readonly tag: string | null;
  /** Null: it is unknown what the tag should hold. */
  readonly digest: Digest | null;
  /** Why the tag's own link is of no use, where it is. */
  readonly fault: Fault | null;
}

/** A manifest as the store has it, or else a copy. */
export function manifestOf(
  { view, copied }: Pick<DamagedRepository, "view" | "copied">,
  digest: Digest,
): ParsedManifest | undefined {
  const own = view.facts.manifests.get(digest);
  return own?.state === "parsed" ? own : copied.get(digest);
}

/** Children of a manifest, as far as it is known. */
export function childrenOf(
  repository: Pick<DamagedRepository, "view" | "copied">,
  digest: Digest,
): readonly ChildDescriptor[] {
  return manifestOf(repository, digest)?.manifest.children ?? [];
}

/** The given manifests and all below them. */
export function collectReach(
  repository: Pick<DamagedRepository, "view" | "copied">,
  roots: Iterable<Digest>,
): ReadonlySet<Digest> {
  const reach = new Set(roots);
  // A set gives also what is added while it is walked.
  for (const digest of reach) for (const child of childrenOf(repository, digest)) reach.add(child.digest);
  return reach;
}

/** Everything that clients pull from a repository: the tags by name, then what no tag leads to. */
export function rootsOf(repository: Pick<DamagedRepository, "view" | "copied" | "history">): readonly Root[] {
  const tagged = tagsOf(repository);
  const reached = new Set(
    collectReach(
      repository,
      tagged.flatMap(({ digest }) => digest ?? []),
    ),
  );
  const { facts, references } = repository.view;
  // What an index names is reached from there, and no image of its own.
  const rank = (digest: Digest) => `${references.mentioned.has(digest) ? 1 : 0} ${digest}`;
  const others = [...rootManifests(facts)].sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
  const untagged: Root[] = [];
  for (const digest of others) {
    if (reached.has(digest)) continue;
    for (const below of collectReach(repository, [digest])) reached.add(below);
    untagged.push({ tag: null, digest, fault: null });
  }
  return [...tagged, ...untagged];
}

function tagsOf({ view, history }: Pick<DamagedRepository, "view" | "history">): readonly Root[] {
  const roots = view.facts.tags.flatMap(({ name: tag, link }): readonly Root[] => {
    // Under a name that no client can ask for, nothing was ever pulled.
    if (tag === null || !isTagName(tag) || link.state === "unreadable") return [];
    if (link.state === "linked") return [{ tag, digest: link.digest, fault: null }];
    return [{ tag, digest: history.get(tag) ?? null, fault: faultOfLink(link) ?? null }];
  });
  return roots.sort((a, b) => ((a.tag ?? "") < (b.tag ?? "") ? -1 : 1));
}
