import { type Digest, parseDigest } from "../registry/digest.ts";
import { references } from "../registry/manifest.ts";
import { canonicalDigests, type StoreFacts } from "../source/facts.ts";

/** What some manifests of one repository need, themselves included. */
export interface Reached {
  readonly manifests: ReadonlySet<Digest>;
  /**
   * Digests under which the store keeps what is needed, manifests included: what was pushed by another algorithm is
   * resolved through the content of its link.
   */
  readonly blobs: ReadonlySet<Digest>;
  /** Needed manifests whose content is missing, damaged or unreadable: what they need is unknown. */
  readonly unknown: ReadonlySet<Digest>;
}

/** Manifests that the tags of a repository point at now. */
export function taggedManifests({ tags }: Pick<StoreFacts, "tags">): readonly Digest[] {
  return tags.flatMap(({ link }) => (link.state === "linked" ? [link.digest] : []));
}

/**
 * Everything that the given manifests need: every descriptor in them, at any depth, their subjects, and the manifests
 * that are about them (referrers), until nothing is added.
 *
 * A digest may be both, a manifest and a blob; what is named and unknown counts as needed.
 */
export function reachFrom(facts: StoreFacts, roots: Iterable<Digest>): Reached {
  const canonical = canonicalDigests(facts);
  const referrers = collectReferrers(facts);
  const manifests = new Set<Digest>();
  const blobs = new Set<Digest>();
  const unknown = new Set<Digest>();
  const waiting = [...roots];
  for (let digest = waiting.pop(); digest; digest = waiting.pop()) {
    if (manifests.has(digest)) continue;
    manifests.add(digest);
    blobs.add(canonical(digest));
    waiting.push(...(referrers.get(digest) ?? []));
    const state = facts.manifests.get(digest);
    if (state?.state !== "parsed") {
      unknown.add(digest);
      continue;
    }
    const { children, subject } = state.manifest;
    waiting.push(...children.map((child) => child.digest), ...(subject ? [subject] : []));
    for (const needed of references(state.manifest)) {
      blobs.add(canonical(needed));
      // What the model does not know may be a manifest all the same.
      if (facts.manifests.has(needed)) waiting.push(needed);
    }
  }
  return { manifests, blobs, unknown };
}

function collectReferrers({ manifests, revisions }: StoreFacts): ReadonlyMap<Digest, readonly Digest[]> {
  const linked = new Set(revisions.flatMap(({ name }) => parseDigest(name ?? "") ?? []));
  const referrers = new Map<Digest, Digest[]>();
  for (const [digest, state] of manifests) {
    if (state.state !== "parsed" || !state.manifest.subject || !linked.has(digest)) continue;
    const { subject } = state.manifest;
    referrers.set(subject, [...(referrers.get(subject) ?? []), digest]);
  }
  return referrers;
}

/** Which repositories of a store reach a blob: the store keeps it once for all of them. */
export interface StoreReach {
  readonly add: (repository: string, reached: Pick<Reached, "blobs">) => void;
  /** Names in the order in which they were added. */
  readonly repositoriesOf: (blob: Digest) => readonly string[];
}

/** Empty at first. Memory: one small number for each blob and repository that reaches it. */
export function createStoreReach(): StoreReach {
  const names: string[] = [];
  const reachedBy = new Map<Digest, number | number[]>();
  return {
    add: (repository, { blobs }) => {
      const position = names.push(repository) - 1;
      for (const blob of blobs) {
        const known = reachedBy.get(blob);
        if (known === undefined) reachedBy.set(blob, position);
        else if (typeof known === "number") reachedBy.set(blob, [known, position]);
        else known.push(position);
      }
    },
    repositoriesOf: (blob) => {
      const known = reachedBy.get(blob) ?? [];
      return (typeof known === "number" ? [known] : known).map((position) => names[position] ?? "");
    },
  };
}
