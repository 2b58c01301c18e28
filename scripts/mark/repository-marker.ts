import { findStoreFaults } from "../graph/findings.ts";
import type { Digest } from "../registry/digest.ts";
import { createFindRule } from "../retention-rules/read-rules.ts";
import type { DiskSource } from "../source/disk/registry.ts";
import { readStoreFacts } from "../source/read-store.ts";
import type { BlobState, ManifestState } from "../source/source.ts";
import { blobsIn, type Inventory } from "../store-check/inventory.ts";
import type { LinkAges } from "./ages.ts";
import { type BlobFlags, flagBits, flagBlob } from "./blob-flags.ts";
import type { MarkOptions, RegistryMark } from "./mark.ts";
import { markRepository, type RepositoryMark, type RepositoryRequest } from "./mark-repository.ts";
import { formerLimits, readFormerRoots } from "./read-roots.ts";
import { shardFilter } from "./shard.ts";

/** What all repositories of a mark have in common; threads can be given it as it is. */
export interface MarkRules
  extends Pick<
    MarkOptions,
    "graceMs" | "overwrittenMs" | "retention" | "deadForMs" | "inUse" | "shard" | "findsFaults"
  > {
  /** Begin of the mark. */
  readonly startedAt: number;
}

/** A repository to mark, with what is known of it from earlier marks. */
export interface RepositoryTask {
  readonly repository: string;
  readonly ages: LinkAges | undefined;
  readonly seen?: RepositoryRequest["seen"];
}

/** What a mark of one repository leaves, once its blobs are flagged. */
export interface MarkedRepository extends Omit<RepositoryMark, "needed" | "spared"> {
  readonly tags: number;
  /** See {@link RegistryMark.faulty}. */
  readonly isFaulty: boolean;
  /** Digests that are needed, or spared, and that no table of the store's blobs holds. */
  readonly missing: readonly Digest[];
}

/** How a mark reads manifests and blobs: both may be known already. */
interface MarkReads {
  readonly manifest: (digest: Digest) => ManifestState;
  readonly blob: (digest: Digest) => BlobState;
  readonly withCompleteness: boolean;
}

/** Reads a repository and marks it. */
export function markOf(
  source: DiskSource,
  { startedAt, graceMs, overwrittenMs, retention, deadForMs, inUse, shard, findsFaults = false }: MarkRules,
  { manifest, blob, withCompleteness }: MarkReads,
): (task: RepositoryTask) => Promise<RepositoryMark & Pick<MarkedRepository, "tags" | "isFaulty">> {
  const isMine = shardFilter(shard);
  const findRule = createFindRule(retention ?? []);
  return async ({ repository, ages, seen }) => {
    const reads = {
      manifest: async (_: string, digest: Digest) => manifest(digest),
      blob,
      withTagTimes: true,
    };
    const facts = await readStoreFacts(source, "authoritative", repository, reads);
    const limits = formerLimits(findRule(repository)?.rule.overwritten, startedAt, overwrittenMs);
    const former = await readFormerRoots(source, repository, facts.tags, limits);
    const mark = markRepository({
      dataDirectory: source.dataDirectory,
      facts,
      roots: [...former.roots, ...inUse],
      damage: former.damage,
      now: startedAt,
      youngSince: startedAt - graceMs,
      deadSince: startedAt - deadForMs,
      ages,
      seen,
      isMine,
      withCompleteness,
    });
    const isFaulty = findsFaults && findStoreFaults(facts).length > 0;
    return { ...mark, tags: facts.tags.length, isFaulty };
  };
}

/** The blobs of a store, what of them is flagged, and how its manifests are read. */
interface Flagging extends Pick<MarkReads, "manifest"> {
  readonly inventory: Inventory;
  readonly flags: BlobFlags;
}

/** Marks repositories, and flags the blobs that they need. */
export function createRepositoryMarker(
  source: DiskSource,
  rules: MarkRules,
  { inventory, flags, manifest }: Flagging,
): (task: RepositoryTask) => Promise<MarkedRepository> {
  const mark = markOf(source, rules, { manifest, blob: blobsIn(inventory), withCompleteness: true });
  return async (task) => {
    const { needed, spared, ...rest } = await mark(task);
    const missing = new Set<Digest>();
    const flag = (digests: Iterable<Digest>, bit: number) => {
      for (const digest of digests) if (!flagBlob(inventory, flags, digest, bit)) missing.add(digest);
    };
    flag(needed, flagBits.needed);
    flag(spared, flagBits.spared);
    return { ...rest, missing: [...missing] };
  };
}
