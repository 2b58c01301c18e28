import type { Digest } from "../registry/digest.ts";
import { blobDirectory } from "../registry/paths.ts";
import { collect } from "../source/bounded.ts";
import { lastWrite } from "../source/disk/files.ts";
import type { DiskSource } from "../source/disk/registry.ts";
import { hexOfEntry, sizeOfEntry } from "../store-check/blob-table.ts";
import type { Inventory } from "../store-check/inventory.ts";
import { type BlobFlags, createBlobFlags, flagsOf } from "./blob-flags.ts";
import type { Damage, MarkOptions, RegistryMark } from "./mark.ts";
import { createMarkEngines, type MarkEngine } from "./mark-engine.ts";
import { unreachedSince } from "./mark-repository.ts";
import type { MarkWork } from "./mark-work.ts";
import { unreadableDamage } from "./needs.ts";
import type { MarkedRepository, MarkRules } from "./repository-marker.ts";
import { shardFilter } from "./shard.ts";
import type { UnneededBlob } from "./sweep-table.ts";
import type { BlobThing } from "./thing.ts";

/**
 * Which links and blobs of a store are reached from its roots: see docs/adr/0021. The store may be in use: what is written
 * meanwhile is younger than the begin of the mark, and so spared.
 *
 * Memory: 47 bytes a blob, and what is unreached. Errors: E_OUT_OF_MEMORY; what cannot be read is damage.
 */
export async function markRegistry(source: DiskSource, options: MarkOptions): Promise<RegistryMark> {
  const startedAt = options.startedAt ?? (await nextMillisecond());
  const engines = options.engines ?? createMarkEngines(options.threads);
  try {
    return await markBy(engines.of(source), source, options, startedAt);
  } finally {
    if (engines !== options.engines) await engines.stop();
  }
}

async function markBy(
  engine: MarkEngine,
  source: DiskSource,
  options: MarkOptions,
  startedAt: number,
): Promise<RegistryMark> {
  const progress = createProgress(source.name, options, startedAt);
  // Before the repositories: a blob that comes later is none that could be removed.
  const inventory = await engine.listBlobs();
  const listed = await collect(source.repositories());
  progress.onListed(inventory, listed.length);
  const { graceMs, overwrittenMs, retention, deadForMs, inUse, shard, findsFaults = false } = options;
  const rules: MarkRules = {
    startedAt,
    graceMs,
    overwrittenMs,
    retention,
    deadForMs,
    inUse,
    shard,
    findsFaults,
  };
  const work: MarkWork = { inventory, flags: createBlobFlags(inventory), rules };
  const marks: MarkedRepository[] = [];
  const tasks = listed.flatMap((fact) =>
    fact.state === "found" ? [{ repository: fact.name, ages: options.ages?.links(fact.name) }] : [],
  );
  await engine.markRepositories(tasks, work, (mark) => {
    marks.push(mark);
    progress.onMark(mark);
  });
  marks.sort((a, b) => (a.repository < b.repository ? -1 : 1));
  const damage = [
    ...inventory.findings.map(({ place, detail }) =>
      unreadableDamage(null, { location: place ?? "", reason: detail?.reason ?? "" }),
    ),
    ...listed.flatMap((fact) => (fact.state === "unreadable" ? [unreadableDamage(null, fact)] : [])),
    ...marks.flatMap((mark) => mark.damage),
  ];
  const isSwept = damage.every(({ keeps }) => keeps !== "blobs");
  const missing = new Set(marks.flatMap((mark) => mark.missing));
  const unneeded = isSwept
    ? [...(await engine.unneededBlobs(work)), ...unneededOthers(source, inventory, missing)]
    : [];
  const isReached = (digest: Digest) =>
    (flagsOf(inventory, work.flags, digest) ?? 0) > 0 || missing.has(digest);
  return summarize({
    source,
    options,
    rules,
    inventory,
    flags: work.flags,
    marks,
    damage,
    unneeded,
    isReached,
  });
}

interface Findings {
  readonly source: DiskSource;
  readonly options: MarkOptions;
  readonly rules: MarkRules;
  readonly inventory: Inventory;
  readonly flags: BlobFlags;
  readonly marks: readonly MarkedRepository[];
  readonly damage: readonly Damage[];
  readonly unneeded: readonly UnneededBlob[];
  readonly isReached: (digest: Digest) => boolean;
}

function summarize(findings: Findings): RegistryMark {
  const { source, options, rules, inventory, marks, damage, isReached } = findings;
  const isMine = shardFilter(options.shard);
  const blobs = divideBlobs(findings, isMine);
  const unreached = [...marks.flatMap((mark) => mark.unreached), ...blobs.unreached];
  const dead = [...marks.flatMap((mark) => mark.dead), ...blobs.dead];
  const total = options.shard
    ? totalOf(inventory, isMine)
    : { blobs: inventory.blobs, bytes: inventory.bytes };
  const sum = (count: (mark: MarkedRepository) => number) =>
    marks.reduce((all, mark) => all + count(mark), 0);
  return {
    registry: source.name,
    dataDirectory: source.dataDirectory,
    shard: options.shard,
    startedAt: rules.startedAt,
    kept: {
      manifests: sum((mark) => mark.keptManifests),
      blobs: total.blobs - blobs.count,
      bytes: total.bytes - blobs.bytes,
    },
    total: {
      revisionLinks: sum((mark) => mark.revisionLinks),
      layerLinks: sum((mark) => mark.layerLinks),
      ...total,
      linksOf: new Map(
        marks
          .filter((mark) => mark.dead.length > 0)
          .map((mark) => [mark.repository, mark.revisionLinks + mark.layerLinks]),
      ),
    },
    unreached,
    dead,
    spared: {
      young: sum((mark) => mark.young) + blobs.young,
      notDeadLongEnough: unreached.length - dead.length,
      bytes: blobs.sparedBytes,
    },
    damage,
    faulty: marks.filter(({ isFaulty }) => isFaulty).map(({ repository }) => repository),
    isReached,
    completeTags: new Map(
      marks.flatMap((mark) =>
        mark.completeTags.map(([tag, digest]) => [`${mark.repository}:${tag}`, digest] as const),
      ),
    ),
  };
}

/** What becomes of the blobs that no root needs. */
function divideBlobs({ source, options, rules, unneeded }: Findings, isMine: (digest: Digest) => boolean) {
  const { startedAt, graceMs, deadForMs } = rules;
  const result = { unreached: [] as BlobThing[], dead: [] as BlobThing[] };
  const counts = { count: 0, bytes: 0, young: 0, sparedBytes: 0 };
  for (const { digest, sizeBytes, writtenAt, isSpared } of unneeded) {
    if (!isMine(digest)) continue;
    counts.count += 1;
    counts.bytes += sizeBytes;
    const since = unreachedSince(options.ages?.blob(digest), writtenAt, startedAt);
    const path = blobDirectory(source.dataDirectory, digest);
    const thing: BlobThing = { kind: "blob", digest, path, writtenAt, unreachedSince: since, sizeBytes };
    const isYoung = writtenAt >= startedAt - graceMs;
    if (isYoung) counts.young += 1;
    else result.unreached.push(thing);
    if (!isYoung && !isSpared && since <= startedAt - deadForMs) result.dead.push(thing);
    else counts.sparedBytes += sizeBytes;
  }
  return { ...result, ...counts };
}

/** Blobs that no table holds. */
function unneededOthers(
  { dataDirectory }: DiskSource,
  { others }: Inventory,
  reached: ReadonlySet<Digest>,
): readonly UnneededBlob[] {
  return [...others].flatMap(([digest, blob]) => {
    if (blob.state !== "present" || reached.has(digest)) return [];
    const writtenAt = lastWrite(blobDirectory(dataDirectory, digest), "data");
    return writtenAt === undefined ? [] : [{ digest, sizeBytes: blob.sizeBytes, writtenAt, isSpared: false }];
  });
}

function totalOf({ tables, others }: Inventory, isMine: (digest: Digest) => boolean) {
  const total = { blobs: 0, bytes: 0 };
  const add = (digest: Digest, sizeBytes: number) => {
    if (!isMine(digest)) return;
    total.blobs += 1;
    total.bytes += sizeBytes;
  };
  for (const table of tables)
    for (let entry = 0; entry < table.count; entry++)
      add(`sha256:${hexOfEntry(table, entry)}`, sizeOfEntry(table, entry));
  for (const [digest, blob] of others) if (blob.state === "present") add(digest, blob.sizeBytes);
  return total;
}

/** What was written before has a time before it: times of files are finer than the clock's, and never ahead of it. */
export async function nextMillisecond(): Promise<number> {
  const now = Date.now();
  while (Date.now() === now) await new Promise((resolve) => setImmediate(resolve));
  return Date.now();
}

function createProgress(registry: string, { onProgress }: MarkOptions, startedAt: number) {
  const counts = { blobs: 0, repositories: 0, tags: 0, layerLinks: 0 };
  let allRepositories: number | null = null;
  const report = () =>
    onProgress?.({ registry, ...counts, allRepositories, seconds: (Date.now() - startedAt) / 1000 });
  return {
    onListed: ({ blobs }: Inventory, repositories: number) => {
      counts.blobs = blobs;
      allRepositories = repositories;
      report();
    },
    onMark: ({ tags, layerLinks }: MarkedRepository) => {
      counts.repositories += 1;
      counts.tags += tags;
      counts.layerLinks += layerLinks;
      report();
    },
  };
}
