import {
  type GcLedger,
  type GcRegistry,
  type GcReport,
  type GcRepository,
  gcReportSchema,
} from "../../contract/gc-report.ts";
import type { Thing } from "../mark/thing.ts";
import type { Share } from "../source/source.ts";
import type { GcOutcome } from "./outcome.ts";
import type { RegistryPlan } from "./plan.ts";

/** What is known of one registry before anything is removed. */
export interface PlannedRegistry {
  readonly plan: RegistryPlan;
  readonly ledger: GcLedger;
}

/** When a run began and ended. */
export interface RunClock {
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly durationSeconds: number;
}

interface Circumstances extends RunClock {
  readonly shard: Share | undefined;
  /** False when a directory was unreadable, or a ledger could not be written. */
  readonly isComplete: boolean;
}

/** Puts the report together. Without an outcome, it is that of a plan. */
export function buildReport(
  planned: readonly PlannedRegistry[],
  outcome: GcOutcome | null,
  { shard, isComplete, startedAt, finishedAt, durationSeconds }: Circumstances,
): GcReport {
  const registries = planned.map((one) => reportRegistry(one, outcome));
  const isReadable = registries.every(({ damage }) => damage.every(({ isUnreadable }) => !isUnreadable));
  return {
    schema: gcReportSchema,
    run: outcome?.run ?? null,
    applied: outcome !== null,
    complete: isComplete && isReadable,
    startedAt,
    finishedAt,
    durationSeconds: Math.round(durationSeconds * 1000) / 1000,
    shard: { index: (shard?.index ?? 0) + 1, count: shard?.count ?? 1 },
    registries,
    freezeSeconds: outcome?.freezeSeconds ?? null,
    freezeTries: outcome?.freezeTries ?? null,
    proof: outcome?.proof ?? null,
  };
}

function reportRegistry({ plan, ledger }: PlannedRegistry, outcome: GcOutcome | null): GcRegistry {
  const { mark } = plan;
  const isRefused = plan.refused?.reason === "budget";
  const refused = plan.refused ?? outcome?.refused ?? null;
  return {
    name: mark.registry,
    kept: mark.kept,
    removed: (isRefused ? undefined : outcome?.removed.get(mark.registry)) ?? plan.removed,
    spared: {
      ...mark.spared,
      touched: outcome?.touched.get(mark.registry) ?? 0,
      outOfTime: outcome?.left.get(mark.registry) ?? 0,
    },
    repositories: reportRepositories(mark.dead, mark.unreached),
    refused: refused?.text ?? null,
    refusedFor: refused?.reason ?? null,
    damage: mark.damage,
    ledger,
  };
}

/** Those that lose anything, or would, most links first. */
function reportRepositories(dead: readonly Thing[], unreached: readonly Thing[]): readonly GcRepository[] {
  const found = new Map<string, { revisionLinks: number; layerLinks: number; spared: number }>();
  const countsOf = (name: string) => {
    const counts = found.get(name) ?? { revisionLinks: 0, layerLinks: 0, spared: 0 };
    found.set(name, counts);
    return counts;
  };
  for (const thing of unreached) if (thing.kind !== "blob") countsOf(thing.repository).spared += 1;
  for (const thing of dead) {
    if (thing.kind === "blob") continue;
    const counts = countsOf(thing.repository);
    counts.spared -= 1;
    counts[thing.kind === "revision-link" ? "revisionLinks" : "layerLinks"] += 1;
  }
  return [...found]
    .map(([name, counts]) => ({ name, ...counts }))
    .filter(({ revisionLinks, layerLinks }) => revisionLinks + layerLinks > 0)
    .sort((a, b) => linksOfRepository(b) - linksOfRepository(a) || (a.name < b.name ? -1 : 1));
}

export function linksOfRepository({ revisionLinks, layerLinks }: GcRepository): number {
  return revisionLinks + layerLinks;
}

/** The document's text. */
export function renderJson(report: GcReport): string {
  return `${JSON.stringify(report, null, 2)}\n`;
}
