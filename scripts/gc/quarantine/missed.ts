import type { RawFinding } from "../../graph/raw-finding.ts";
import type { RegistryMark } from "../../mark/mark.ts";
import { shardFilter } from "../../mark/shard.ts";
import { parseDigest } from "../../registry/digest.ts";
import { blobDirectory } from "../../registry/paths.ts";
import { linksOf, neededFor, type Placed } from "./needed.ts";

/** A thing that was moved out of a store, and that the store needs. */
export interface Missed<T extends Placed> {
  readonly thing: T;
  /** Tags (REPOSITORY:TAG) that cannot be pulled without it; of what has none, the manifest or link (REPOSITORY@DIGEST). */
  readonly for: readonly string[];
}

/**
 * Which of some things a scan of their store misses. Not what only manifests and links need that nothing reaches: they
 * are as dead as it is, and were left by a run that had no more time, or to another shard. Nor what only the name of a
 * signature's tag says that it is about: the tag is complete without it.
 */
export function missedThings<T extends Placed>(
  findings: readonly RawFinding[],
  mark: Pick<RegistryMark, "dataDirectory" | "unreached" | "shard">,
  index: ReadonlyMap<string, T>,
): readonly Missed<T>[] {
  const { dataDirectory } = mark;
  const unreached = new Set(mark.unreached.map(({ path }) => path));
  const isMine = shardFilter(mark.shard);
  const missed: Missed<T>[] = [];
  for (const { repository, digest: text, parent, tags, cause } of findings) {
    const digest = parseDigest(text ?? "");
    if (!digest || repository === null) continue;
    const things = new Set(neededFor({ dataDirectory, repository }, digest, index));
    const blob = index.get(blobDirectory(dataDirectory, digest));
    if (blob) things.add(blob);
    const by = parseDigest(parent ?? "") ?? digest;
    const isUnreached = linksOf({ dataDirectory, repository }, by).some(([, path]) => unreached.has(path));
    const isByNameAlone = cause === "subject-missing" && (parent === null || isUnreached);
    const isDead = tags.length === 0 && (isUnreached || !isMine(by));
    if (things.size === 0 || isByNameAlone || isDead) continue;
    const names = tags.length > 0 ? tags.map((tag) => `${repository}:${tag}`) : [`${repository}@${by}`];
    for (const thing of things) missed.push({ thing, for: names });
  }
  return missed;
}
