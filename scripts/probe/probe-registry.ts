import { createHash } from "node:crypto";
import { storeFinding, subjectKey } from "../graph/findings.ts";
import type { RawFinding } from "../graph/raw-finding.ts";
import { findServedFaults } from "../graph/served.ts";
import { collect, forEachBounded, stream } from "../source/bounded.ts";
import type { RepositoryFacts } from "../source/facts.ts";
import type { HttpRegistry } from "../source/http/registry.ts";
import { readServedFacts } from "../source/read-served.ts";
import type { Shard } from "./args.ts";

/** Repositories that are checked side by side; the requests of all together are bounded by the source. */
const repositoriesAtATime = 8;

export interface Counts {
  readonly repositories: number;
  readonly tags: number;
  readonly indexes: number;
}

/** Result of the walk through a registry. */
export interface ProbeResult extends Counts {
  readonly catalogueAccessible: boolean;
  /** Null where it is unknown. */
  readonly sentinelPresent: boolean | null;
  /** Names in the catalogue, whatever the shard. */
  readonly listed: number;
  readonly findings: readonly RawFinding[];
}

interface Options {
  readonly concurrency: number;
  readonly sentinel: string | undefined;
  readonly shard: Shard | undefined;
  readonly onProgress: (counts: Counts) => void;
}

/**
 * Checks all repositories of the catalogue, or those of one shard.
 *
 * Errors: none; what could not be checked is a finding. Without all of the catalogue nothing else is asked.
 */
export async function probeRegistry(source: HttpRegistry, options: Options): Promise<ProbeResult> {
  const { concurrency, sentinel, shard, onProgress } = options;
  const facts = await collect(source.repositories());
  const faults = facts.filter((fact) => fact.state === "unreadable");
  const names = facts.flatMap((fact) => (fact.state === "found" ? [fact.name] : []));
  const counts = { repositories: 0, tags: 0, indexes: 0 };
  const listed = names.length;
  if (faults.length > 0) {
    const findings = faults.map((fault) => storeFinding(source.name, null, fault));
    return { catalogueAccessible: false, sentinelPresent: null, listed, findings, ...counts };
  }
  const findings: RawFinding[] = [];
  const own = names.filter((name) => isInShard(name, shard));
  await forEachBounded(stream(own), repositoriesAtATime, async (repository) => {
    const served = await readTagged(source, repository, concurrency);
    addCounts(counts, served);
    findings.push(...(await confirm(findServedFaults(served), source, repository, concurrency)));
    onProgress(counts);
  });
  const sentinelPresent = sentinel === undefined ? null : names.includes(sentinel);
  return { catalogueAccessible: true, sentinelPresent, listed, findings, ...counts };
}

/** Whether a repository is one of a shard's: by its name alone, so that all shards agree. */
export function isInShard(repository: string, shard: Shard | undefined): boolean {
  if (!shard) return true;
  return createHash("sha256").update(repository).digest().readUInt32BE(0) % shard.count === shard.index;
}

/** Counts what was answered: a list of tags that could not be read is no repository that was checked. */
function addCounts(
  counts: { repositories: number; tags: number; indexes: number },
  { tags, manifests }: RepositoryFacts,
): void {
  const answered = tags.filter(({ link }) => link.state !== "unreadable");
  if (answered.length > 0 || tags.length === 0) counts.repositories += 1;
  counts.tags += answered.length;
  counts.indexes += [...manifests.values()].filter(
    (state) => state.state === "parsed" && state.manifest.type === "index",
  ).length;
}

/**
 * Asks for everything that the tags of one repository need: tags first, blobs last, as a push writes in the other order.
 * `only`: these tags alone, as far as they are still there.
 */
async function readTagged(
  source: HttpRegistry,
  repository: string,
  limit: number,
  only?: ReadonlySet<string>,
): Promise<RepositoryFacts> {
  const tags = await collect(source.tags(repository, only && { only }));
  return readServedFacts(source, repository, { tags, limit });
}

/**
 * Checks the tags again that seem broken, and keeps what still is, in whichever way: a tag that was pushed over or removed
 * meanwhile looks like damage. Healthy repositories, the most, are asked once.
 */
async function confirm(
  first: readonly RawFinding[],
  source: HttpRegistry,
  repository: string,
  concurrency: number,
): Promise<readonly RawFinding[]> {
  const isKnown = ({ cause }: RawFinding) => cause !== "unreadable";
  const suspects = first.filter(isKnown);
  if (suspects.length === 0) return first;
  const affected = new Set(suspects.flatMap(({ tags }) => tags));
  const second = findServedFaults(await readTagged(source, repository, concurrency, affected));
  // What could not be checked again takes nothing back.
  if (!second.every(isKnown)) return [...first, ...second.filter((finding) => !isKnown(finding))];
  const keys = new Set(suspects.map(subjectKey));
  const confirmed = second.filter((finding) => keys.has(subjectKey(finding)));
  return [...first.filter((finding) => !isKnown(finding)), ...confirmed];
}
