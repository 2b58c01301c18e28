import type { RegistryMode } from "../../contract/finding.ts";
import { findStoreFaults } from "../graph/findings.ts";
import type { RawFinding } from "../graph/raw-finding.ts";
import type { Digest } from "../registry/digest.ts";
import { linkedManifests, type StoreFacts } from "../source/facts.ts";
import { readStoreFacts } from "../source/read-store.ts";
import type { ManifestState, StoreSource } from "../source/source.ts";
import type { Verification } from "./verification.ts";

/** What the first read of one repository came to. */
export interface RepositoryCheck {
  readonly repository: string;
  readonly counts: Counts;
  /** What seems bad, until a second read confirms it. */
  readonly suspects: readonly RawFinding[];
}

export type Counts = Record<"tags" | "indexes" | "manifests" | "layerLinks", number>;

/** What repositories of one store share. */
export interface Shared {
  readonly manifest: ReadManifest;
  readonly blob: StoreFacts["blob"];
  readonly verifier?: Verification | undefined;
}

/** Reads one repository and checks it; its facts are dropped then. */
export async function checkRepository(
  source: StoreSource,
  mode: RegistryMode,
  repository: string,
  shared: Shared,
): Promise<RepositoryCheck> {
  const read = await readStoreFacts(source, mode, repository, shared);
  const facts = shared.verifier ? await shared.verifier.verify(read) : read;
  return { repository, counts: countsOf(facts), suspects: findStoreFaults(facts) };
}

function countsOf(facts: StoreFacts): Counts {
  const indexes = linkedManifests(facts).filter((digest) => {
    const state = facts.manifests.get(digest);
    return state?.state === "parsed" && state.manifest.type === "index";
  });
  return {
    tags: named(facts.tags),
    manifests: named(facts.revisions),
    layerLinks: named(facts.layerLinks),
    indexes: indexes.length,
  };
}

function named(links: StoreFacts["tags"]): number {
  return links.filter(({ name }) => name !== null).length;
}

/** Manifests kept in memory: enough for bases that many repositories share, whatever the size of the store. */
const memoizedManifests = 2048;

/** Reads manifests; those that repositories share are read once, if they are asked for soon after each other. */
export type ReadManifest = (repository: string, digest: Digest) => Promise<ManifestState>;

export function memoizeManifests(source: StoreSource): ReadManifest {
  const memoized = new Map<Digest, Promise<ManifestState>>();
  return async (repository, digest) => {
    const known = memoized.get(digest);
    if (known) return known;
    const reading = source.manifest(repository, digest);
    memoized.set(digest, reading);
    for (const oldest of memoized.keys()) {
      if (memoized.size <= memoizedManifests) break;
      memoized.delete(oldest);
    }
    const state = await reading;
    // A client may be writing what is not there yet: the next to ask reads again.
    if (state.state !== "parsed") memoized.delete(digest);
    return state;
  };
}
