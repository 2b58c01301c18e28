import type { GcDamage, GcLedger, GcRegistry, GcReport, GcRepository } from "../../contract/gc-report.ts";
import { linksOfRepository } from "./report.ts";

/**
 * The reports of all shards of one collection as the report of the whole. Counts add up; damage, which each shard reports
 * as it was read by each, is named once.
 *
 * Errors: a plain error when they are not all shards of one count.
 */
export function mergeReports(reports: readonly GcReport[]): GcReport {
  const [first] = reports;
  const found = new Set(reports.map(({ shard }) => shard.index));
  if (
    !first ||
    reports.some(({ shard }) => shard.count !== first.shard.count) ||
    found.size !== first.shard.count
  )
    throw new Error(
      `The reports of the shards ${[...found].join(", ")} are not all of ${first?.shard.count ?? 0} shards`,
    );
  const names = [...new Set(reports.flatMap(({ registries }) => registries.map(({ name }) => name)))];
  const proofs = reports.flatMap(({ proof }) => proof ?? []);
  const freezes = reports.flatMap(({ freezeSeconds }) => freezeSeconds ?? []);
  const tries = reports.flatMap(({ freezeTries }) => freezeTries ?? []);
  return {
    schema: first.schema,
    run: reports.map(({ run }) => run).find((run) => run !== null) ?? null,
    applied: reports.every(({ applied }) => applied),
    complete: reports.every(({ complete }) => complete),
    startedAt: reports.map(({ startedAt }) => startedAt).sort()[0] ?? first.startedAt,
    finishedAt:
      reports
        .map(({ finishedAt }) => finishedAt)
        .sort()
        .at(-1) ?? first.finishedAt,
    durationSeconds: Math.max(...reports.map(({ durationSeconds }) => durationSeconds)),
    shard: { index: 1, count: 1 },
    registries: names.map((name) =>
      mergeRegistry(reports.flatMap(({ registries }) => registries.filter((one) => one.name === name))),
    ),
    freezeSeconds: freezes.length === 0 ? null : Math.max(...freezes),
    freezeTries: tries.length === 0 ? null : Math.max(...tries),
    proof:
      proofs.length === 0
        ? null
        : {
            tags: sum(proofs, ({ tags }) => tags),
            lost: [...new Set(proofs.flatMap(({ lost }) => lost))].sort(),
          },
  };
}

function mergeRegistry(shards: readonly GcRegistry[]): GcRegistry {
  const refusals = [...new Set(shards.flatMap(({ refused }) => refused ?? []))];
  return {
    name: shards[0]?.name ?? "",
    kept: {
      manifests: sum(shards, ({ kept }) => kept.manifests),
      blobs: sum(shards, ({ kept }) => kept.blobs),
      bytes: sum(shards, ({ kept }) => kept.bytes),
    },
    removed: {
      revisionLinks: sum(shards, ({ removed }) => removed.revisionLinks),
      layerLinks: sum(shards, ({ removed }) => removed.layerLinks),
      blobs: sum(shards, ({ removed }) => removed.blobs),
      bytes: sum(shards, ({ removed }) => removed.bytes),
    },
    spared: {
      young: sum(shards, ({ spared }) => spared.young),
      touched: sum(shards, ({ spared }) => spared.touched),
      outOfTime: sum(shards, ({ spared }) => spared.outOfTime),
      notDeadLongEnough: sum(shards, ({ spared }) => spared.notDeadLongEnough),
      bytes: sum(shards, ({ spared }) => spared.bytes),
    },
    repositories: mergeRepositories(shards.flatMap(({ repositories }) => repositories)),
    refused: refusals.length === 0 ? null : refusals.join(" "),
    refusedFor: shards.map(({ refusedFor }) => refusedFor).find((reason) => reason !== null) ?? null,
    damage: mergeDamage(shards.flatMap(({ damage }) => damage)),
    ledger: mergeLedgers(shards.map(({ ledger }) => ledger)),
  };
}

function mergeRepositories(all: readonly GcRepository[]): readonly GcRepository[] {
  const merged = [...Map.groupBy(all, ({ name }) => name)].map(([name, parts]) => ({
    name,
    revisionLinks: sum(parts, ({ revisionLinks }) => revisionLinks),
    layerLinks: sum(parts, ({ layerLinks }) => layerLinks),
    spared: sum(parts, ({ spared }) => spared),
  }));
  return merged.sort((a, b) => linksOfRepository(b) - linksOfRepository(a) || (a.name < b.name ? -1 : 1));
}

function mergeDamage(all: readonly GcDamage[]): readonly GcDamage[] {
  return [...new Map(all.map((one) => [JSON.stringify(one), one])).values()];
}

/** What any shard began anew, the whole did not know. */
function mergeLedgers(ledgers: readonly GcLedger[]): GcLedger {
  const worst = (["none", "begun", "read"] as const).find((state) =>
    ledgers.some((one) => one.state === state),
  );
  const whys = [...new Set(ledgers.flatMap(({ why }) => why ?? []))];
  return {
    state: worst ?? "none",
    why: whys.length === 0 ? null : whys.join(" "),
    lastMarkAt: ledgers.flatMap(({ lastMarkAt }) => lastMarkAt ?? []).sort()[0] ?? null,
    entries: sum(ledgers, ({ entries }) => entries),
    written: ledgers.every(({ written }) => written),
  };
}

function sum<T>(parts: readonly T[], count: (part: T) => number): number {
  return parts.reduce((all, part) => all + count(part), 0);
}
