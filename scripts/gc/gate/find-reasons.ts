import type { GcGateReason } from "../../../contract/gc-gate-report.ts";
import { reachFrom, taggedManifests } from "../../graph/reachability.ts";
import { type Digest, parseDigest } from "../../registry/digest.ts";
import { linkedManifests, type StoreFacts } from "../../source/facts.ts";

/** Finds what 3.x would lose, repository by repository, in the order in which 3.x reads them: by name. */
export interface GateCheck {
  readonly check: (facts: StoreFacts) => readonly GcGateReason[];
}

/** Memory: the entries that indexes lack. */
export function createGateCheck(): GateCheck {
  /** Entries of indexes that a repository lacks, and which that was. */
  const lacked = new Map<Digest, string>();
  return {
    check: (facts) => {
      const reached = reachFrom(facts, taggedManifests(facts)).manifests;
      const linked = new Set(linkedManifests(facts));
      const reasons = [
        ...otherAlgorithms(facts, reached),
        ...orphanedElsewhere(facts, reached, linked, lacked),
        ...neededUntagged(facts, linked),
      ];
      for (const digest of linked) {
        const state = facts.manifests.get(digest);
        for (const child of state?.state === "parsed" ? state.manifest.children : [])
          if (!linked.has(child.digest) && !lacked.has(child.digest))
            lacked.set(child.digest, facts.repository);
      }
      return reasons;
    },
  };
}

/**
 * Its mark holds the name under which a manifest knows the blob, its sweep goes by that under which the blob lies.
 *
 * Source: distribution v3.1.1, registry/storage/garbagecollect.go; distribution#4420.
 */
function* otherAlgorithms(facts: StoreFacts, reached: ReadonlySet<Digest>): Generator<GcGateReason> {
  const { registry, repository } = facts;
  for (const digest of reached) {
    const state = facts.manifests.get(digest);
    for (const blob of state?.state === "parsed" ? state.manifest.blobs : [])
      if (!blob.digest.startsWith("sha256:"))
        yield {
          kind: "other-algorithm",
          registry,
          repository,
          digest: blob.digest,
          message: `Any garbage-collect, of 2.8 and of 3.x, removes this blob, which ${digest} needs.`,
        };
  }
}

/** The mark goes no further below what it holds already, and it holds the entries of an index before it reads them. */
function* orphanedElsewhere(
  { registry, repository, manifests }: StoreFacts,
  reached: ReadonlySet<Digest>,
  linked: ReadonlySet<Digest>,
  lacked: ReadonlyMap<Digest, string>,
): Generator<GcGateReason> {
  for (const digest of reached) {
    const before = linked.has(digest) ? lacked.get(digest) : undefined;
    if (before === undefined || before === repository || manifests.get(digest)?.state !== "parsed") continue;
    yield {
      kind: "orphaned-index",
      registry,
      repository,
      digest,
      message: `garbage-collect -m of 3.x removes the layers of this image, because ${before} has an index of it without the image. Repair or delete that index first.`,
    };
  }
}

/** It keeps what a tag names and what indexes name; referrers have their subject alone. */
function* neededUntagged(facts: StoreFacts, linked: ReadonlySet<Digest>): Generator<GcGateReason> {
  const { registry, repository, manifests } = facts;
  const tagged = taggedManifests(facts);
  const needed = reachFrom(facts, tagged).manifests;
  const listed = new Set(tagged);
  const waiting = [...tagged];
  for (let digest = waiting.pop(); digest; digest = waiting.pop()) {
    const state = manifests.get(digest);
    for (const child of state?.state === "parsed" ? state.manifest.children : [])
      if (!listed.has(child.digest)) {
        listed.add(child.digest);
        waiting.push(child.digest);
      }
  }
  for (const digest of needed)
    if (linked.has(digest) && !listed.has(digest) && parseDigest(digest))
      yield {
        kind: "untagged",
        registry,
        repository,
        digest,
        message:
          "garbage-collect -m of 3.x removes this manifest: it is about an image that is needed, or that image, and no tag or index names it.",
      };
}
