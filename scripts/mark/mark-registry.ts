import type { Digest } from "../registry/digest.ts";
import { blobDirectory } from "../registry/paths.ts";
import { collect } from "../source/bounded.ts";
import { lastWrite } from "../source/disk/files.ts";
import type { DiskSource } from "../source/disk/registry.ts";
import { readStoreFacts } from "../source/read-store.ts";
import type { BlobState } from "../source/source.ts";
import { memoizeManifests } from "../store-check/check-repository.ts";
import type { Damage, MarkOptions, RegistryMark } from "./mark.ts";
import { markRepository, type RepositoryMark, unreachedSince } from "./mark-repository.ts";
import { bucketOf, unreadableDamage } from "./needs.ts";
import { readFormerRoots } from "./read-roots.ts";
import type { BlobThing, Thing } from "./thing.ts";

/**
 * Which links and blobs of a store are reached from its roots: see docs/adr/0021. The store may be in use: what is written
 * meanwhile is younger than the begin of the mark, and so spared.
 *
 * Errors: none of the store; what cannot be read is damage.
 */
export async function markRegistry(source: DiskSource, options: MarkOptions): Promise<RegistryMark> {
  const startedAt = options.startedAt ?? (await nextMillisecond());
  const damage: Damage[] = [];
  // Before the repositories: a blob that comes later is none that could be removed.
  const blobs = new Map<Digest, BlobState>();
  for await (const { digest, blob } of source.blobs()) {
    if (blob.state === "unreadable") damage.push(unreadableDamage(null, blob));
    if (digest) blobs.set(digest, blob);
  }
  const manifest = memoizeManifests(source);
  const blob = (digest: Digest): BlobState => blobs.get(digest) ?? { state: "missing" };
  const marks: RepositoryMark[] = [];
  const repositories = await collect(source.repositories());
  const counts = { tags: 0, layerLinks: 0 };
  const report = () =>
    options.onProgress?.({
      registry: source.name,
      blobs: blobs.size,
      repositories: marks.length,
      allRepositories: repositories.length,
      ...counts,
      seconds: (Date.now() - startedAt) / 1000,
    });
  for (const fact of repositories) {
    report();
    if (fact.state === "unreadable") damage.push(unreadableDamage(null, fact));
    else {
      const facts = await readStoreFacts(source, "authoritative", fact.name, { manifest, blob });
      const tags = await collect(source.tags(fact.name, { withTimes: true }));
      counts.tags += tags.length;
      counts.layerLinks += facts.layerLinks.length;
      const former = await readFormerRoots(source, fact.name, tags, startedAt - options.overwrittenMs);
      marks.push(
        markRepository({
          dataDirectory: source.dataDirectory,
          facts,
          roots: [...former.roots, ...options.inUse],
          damage: former.damage,
          now: startedAt,
          youngSince: startedAt - options.graceMs,
          deadSince: startedAt - options.deadForMs,
          ages: options.ages?.links(fact.name),
        }),
      );
    }
  }
  for (const mark of marks) damage.push(...mark.damage);
  const reached = new Set(marks.flatMap(({ needed }) => [...needed]));
  const spared = new Set(marks.flatMap((mark) => [...mark.spared]));
  const isSwept = damage.every(({ keeps }) => keeps !== "blobs");
  const isMine = shardFilter(options);
  const unreached: Thing[] = marks.flatMap((mark) => mark.unreached).filter(({ digest }) => isMine(digest));
  const dead: Thing[] = marks.flatMap((mark) => mark.dead).filter(({ digest }) => isMine(digest));
  const kept = { manifests: 0, blobs: 0, bytes: 0 };
  const sparedBytes = { bytes: 0 };
  let young = marks.reduce((sum, mark) => sum + mark.young, 0);
  let total = 0;
  let allBlobs = 0;
  for (const [digest, state] of blobs) {
    if (state.state !== "present" || !isMine(digest)) continue;
    total += state.sizeBytes;
    allBlobs += 1;
    if (reached.has(digest) || !isSwept) {
      kept.blobs += 1;
      kept.bytes += state.sizeBytes;
      continue;
    }
    const path = blobDirectory(source.dataDirectory, digest);
    const writtenAt = lastWrite(path, "data");
    if (writtenAt === undefined) continue;
    const since = unreachedSince(options.ages?.blob(digest), writtenAt, startedAt);
    const thing: BlobThing = {
      kind: "blob",
      digest,
      path,
      writtenAt,
      unreachedSince: since,
      sizeBytes: state.sizeBytes,
    };
    const isYoung = writtenAt >= startedAt - options.graceMs;
    if (isYoung) young += 1;
    else unreached.push(thing);
    if (!isYoung && since <= startedAt - options.deadForMs && !spared.has(digest)) dead.push(thing);
    else sparedBytes.bytes += state.sizeBytes;
  }
  kept.manifests = marks.reduce((sum, mark) => sum + mark.keptManifests, 0);
  return {
    registry: source.name,
    dataDirectory: source.dataDirectory,
    startedAt,
    kept,
    total: {
      revisionLinks: marks.reduce((sum, mark) => sum + mark.revisionLinks, 0),
      layerLinks: marks.reduce((sum, mark) => sum + mark.layerLinks, 0),
      blobs: allBlobs,
      bytes: total,
      linksOf: new Map(
        marks
          .filter((mark) => mark.dead.length > 0)
          .map((mark) => [mark.repository, mark.revisionLinks + mark.layerLinks]),
      ),
    },
    unreached,
    dead,
    spared: { young, notDeadLongEnough: unreached.length - dead.length, bytes: sparedBytes.bytes },
    damage,
    isReached: (digest) => reached.has(digest) || spared.has(digest),
    completeTags: new Map(
      marks.flatMap((mark) =>
        mark.completeTags.map(([tag, digest]) => [`${mark.repository}:${tag}`, digest] as const),
      ),
    ),
  };
}

function shardFilter({ shard }: MarkOptions): (digest: Digest) => boolean {
  if (!shard) return () => true;
  return (digest) => Math.floor((bucketOf(digest) * shard.count) / 256) === shard.index;
}

/** What was written before has a time before it: times of files are finer than the clock's, and never ahead of it. */
export async function nextMillisecond(): Promise<number> {
  const now = Date.now();
  while (Date.now() === now) await new Promise((resolve) => setImmediate(resolve));
  return Date.now();
}
