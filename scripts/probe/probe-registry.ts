import { createHash } from "node:crypto";
import type { Finding } from "../../contract/scan-report.ts";
import { findingKey, storeFinding } from "../graph/findings.ts";
import { notLookedAtMessage } from "../graph/served-messages.ts";
import { findBrokenParts, type ServedFacts } from "../graph/served-parts.ts";
import { collect, forEachBounded, stream } from "../source/bounded.ts";
import type { RegistrySource } from "../source/source.ts";
import type { Shard } from "./args.ts";
import { readServed } from "./read-served.ts";

/** Repositories that are looked at side by side; the requests of all together are bounded by the source. */
const repositoriesAtATime = 8;

export interface Counts {
  readonly repositories: number;
  readonly tags: number;
  readonly indexes: number;
}

/** What the walk through a registry came to. */
export interface ProbeResult extends Counts {
  readonly catalogueAccessible: boolean;
  /** Null where nothing can be said. */
  readonly sentinelPresent: boolean | null;
  /** Names in the whole catalogue, whatever the shard. */
  readonly listed: number;
  readonly findings: readonly Finding[];
}

interface Options {
  readonly concurrency: number;
  readonly sentinel: string | undefined;
  readonly shard: Shard | undefined;
  readonly onProgress: (counts: Counts) => void;
}

/**
 * Looks at all repositories of the catalogue, or at those of one shard.
 *
 * Errors: none; what could not be looked at is a finding. Without the whole catalogue nothing else is asked.
 */
export async function probeRegistry(source: RegistrySource, options: Options): Promise<ProbeResult> {
  const { concurrency, sentinel, shard, onProgress } = options;
  const facts = await collect(source.repositories());
  const faults = facts.filter((fact) => fact.state === "unreadable");
  const names = facts.flatMap((fact) => (fact.state === "found" ? [fact.name] : []));
  const counts = { repositories: 0, tags: 0, indexes: 0 };
  const listed = names.length;
  if (faults.length > 0) {
    const findings = faults.map((fault) => ({
      ...storeFinding(source.name, null, fault),
      message: notLookedAtMessage(fault),
    }));
    return { catalogueAccessible: false, sentinelPresent: null, listed, findings, ...counts };
  }
  const findings: Finding[] = [];
  const own = names.filter((name) => isInShard(name, shard));
  await forEachBounded(stream(own), repositoriesAtATime, async (repository) => {
    const served = await readServed(source, repository, concurrency);
    addCounts(counts, served);
    findings.push(...(await confirm(findBrokenParts(served), source, repository, concurrency)));
    onProgress(counts);
  });
  const sentinelPresent = sentinel === undefined ? null : names.includes(sentinel);
  return { catalogueAccessible: true, sentinelPresent, listed, findings, ...counts };
}

/** Whether a repository is one of a shard's: by its name alone, so that all shards agree without talking. */
export function isInShard(repository: string, shard: Shard | undefined): boolean {
  if (!shard) return true;
  return createHash("sha256").update(repository).digest().readUInt32BE(0) % shard.count === shard.index;
}

function addCounts(
  counts: { repositories: number; tags: number; indexes: number },
  { tags, manifests }: ServedFacts,
): void {
  counts.repositories += 1;
  counts.tags += tags.filter(({ name }) => name !== null).length;
  counts.indexes += [...manifests.values()].filter(
    (state) => state.state === "parsed" && state.manifest.type === "index",
  ).length;
}

/**
 * Looks again at the tags that seem broken, and keeps what still is: a tag that was pushed over or removed meanwhile
 * looks like damage. Healthy repositories, the many, are asked once.
 */
async function confirm(
  first: readonly Finding[],
  source: RegistrySource,
  repository: string,
  concurrency: number,
): Promise<readonly Finding[]> {
  const isKnown = ({ cause }: Finding) => cause !== "unreadable";
  const suspects = first.filter(isKnown);
  if (suspects.length === 0) return first;
  const affected = new Set(suspects.flatMap(({ tags }) => tags));
  const second = findBrokenParts(await readServed(source, repository, concurrency, affected));
  // What could not be looked at again takes nothing back.
  if (!second.every(isKnown)) return [...first, ...second.filter((finding) => !isKnown(finding))];
  const keys = new Set(suspects.map(findingKey));
  const confirmed = second.filter((finding) => keys.has(findingKey(finding)));
  return [...first.filter((finding) => !isKnown(finding)), ...confirmed];
}
