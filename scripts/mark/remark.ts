import { setImmediate as turn } from "node:timers/promises";
import type { Digest } from "../registry/digest.ts";
import { readBlob } from "../source/disk/blob.ts";
import { writtenAfter } from "../source/disk/files.ts";
import type { DiskSource } from "../source/disk/registry.ts";
import { hasChangedSince } from "./changes.ts";
import { createManifestMemo } from "./manifest-memo.ts";
import type { MarkOptions, RegistryMark } from "./mark.ts";
import { markOf } from "./repository-marker.ts";
import type { Thing } from "./thing.ts";

/**
 * A push that was on its way when the mark began may have written its manifest's link before that, and its tag after the
 * mark had read the tags.
 */
const pushMarginMs = 10_000;

/** Times of files lag behind the clock by what the kernel's last tick is ago: on a busy machine some hundredths of a second. */
const clockMarginMs = 1000;

/** Things between two turns of the event loop: a timer of this process renews the lease by which writes are held. */
const thingsAtATime = 256;

/**
 * Of some things that a mark found dead, those that are needed now or were written since, each with why: half a sentence.
 * Only repositories are read in which anything was written since: of all others, the times of their manifests' and tags'
 * links are.
 *
 * Errors: none of the store; what cannot be read keeps what it might need.
 */
export async function remark(
  source: DiskSource,
  former: RegistryMark,
  things: readonly Thing[],
  options: MarkOptions,
): Promise<ReadonlyMap<Thing, string>> {
  const reasons = new Map<Thing, string>();
  const needs = await needsSince(source, former, options);
  const blobs = new Map(needs.blobs);
  for (const [at, thing] of things.entries()) {
    if (at % thingsAtATime === 0) await turn();
    if (thing.kind === "blob") continue;
    const own = needs.repositories.get(thing.repository);
    const reason = own?.has(thing.digest)
      ? "is needed by what was pushed since"
      : writtenAfter(`${thing.path}/link`, thing.writtenAt)
        ? "was pushed again since"
        : undefined;
    if (reason === undefined) continue;
    reasons.set(thing, reason);
    if (!blobs.has(thing.digest)) blobs.set(thing.digest, reason);
  }
  for (const [at, thing] of things.entries()) {
    if (at % thingsAtATime === 0) await turn();
    if (thing.kind !== "blob") continue;
    const reason = needs.damage ?? blobs.get(thing.digest);
    if (reason !== undefined) reasons.set(thing, reason);
    else if (writtenAfter(`${thing.path}/data`, thing.writtenAt))
      reasons.set(thing, "was pushed again since");
  }
  return reasons;
}

interface NeedsSince {
  /** Of the repositories in which anything was written: digests that are needed. */
  readonly repositories: ReadonlyMap<string, ReadonlySet<Digest>>;
  /** All of these, each with why. */
  readonly blobs: ReadonlyMap<Digest, string>;
  /** Why it is unknown which blobs are needed: half a sentence; undefined when it is known. */
  readonly damage: string | undefined;
}

async function needsSince(
  source: DiskSource,
  { startedAt, unreached }: RegistryMark,
  options: MarkOptions,
): Promise<NeedsSince> {
  const { dataDirectory } = source;
  const { overwrittenMs, retention, inUse } = options;
  // What was written since the mark began is young, and all else is old: that what the mark saw has not changed is known.
  const graceMs = clockMarginMs;
  const seen = new Map(unreached.map(({ path, writtenAt }) => [path, writtenAt]));
  const rules = { startedAt, graceMs, overwrittenMs, retention, deadForMs: 0, inUse, shard: undefined };
  const mark = markOf(source, rules, {
    manifest: createManifestMemo(dataDirectory),
    blob: (digest) => readBlob(dataDirectory, digest),
    withCompleteness: false,
  });
  const repositories = new Map<string, ReadonlySet<Digest>>();
  const blobs = new Map<Digest, string>();
  let damage: string | undefined;
  for await (const fact of source.repositories()) {
    await turn();
    if (fact.state === "unreadable") damage ??= `may be needed, as ${fact.location} cannot be read`;
    else if (hasChangedSince(dataDirectory, fact.name, startedAt - clockMarginMs, startedAt - pushMarginMs)) {
      const { needed, spared, damage: found } = await mark({ repository: fact.name, ages: undefined, seen });
      const own = new Set([...needed, ...spared]);
      repositories.set(fact.name, own);
      for (const digest of own) blobs.set(digest, `is needed by what was pushed to ${fact.name} since`);
      const [first] = found.filter(({ keeps }) => keeps === "blobs");
      if (first) damage ??= `may be needed, as in ${fact.name} ${first.place} ${first.reason}`;
    }
  }
  return { repositories, blobs, damage };
}
