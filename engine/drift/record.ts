import { driftMetrics, unmanagedMetrics } from "../../contract/metrics.ts";
import { renderExposition } from "../../scripts/report/exposition.ts";
import type { ResourceChange } from "../changes.ts";
import type { Deferred } from "../deferred.ts";
import { type Unmanaged, uncheckedKinds, unmanagedCounts } from "./unmanaged.ts";

/** What a drift run found. */
export type DriftCheck =
  | { readonly kind: "clean" }
  | {
      readonly kind: "drift";
      readonly changes: readonly ResourceChange[];
      readonly deferred?: readonly Deferred[];
    }
  /** With `deferred`: all but these hosts was checked, and did not drift. */
  | { readonly kind: "could-not-check"; readonly deferred?: readonly Deferred[] };

/** One value a metric; undefined leaves the metric out of the group. */
export type DriftRecord = Readonly<Record<keyof typeof driftMetrics, number | undefined>>;

const states = { clean: 0, drift: 1, "could-not-check": 2 } as const;

/**
 * What a run leaves in the Pushgateway.
 *
 * A run that could not check says nothing about the drift of before: the time at which that was first seen stays, and
 * there is no count.
 * Units: Unix seconds; `earlierFirstSeen` is 0 where no drift was known.
 */
export function driftRecord(check: DriftCheck, earlierFirstSeen: number, nowSeconds: number): DriftRecord {
  const firstSeen = firstSeenAfter(check, earlierFirstSeen, nowSeconds);
  return {
    drift_stack_state: states[check.kind],
    drift_stack_first_seen: firstSeen,
    drift_stack_age_hours: firstSeen === 0 ? 0 : Math.max(0, nowSeconds - firstSeen) / 3600,
    drift_stack_count: countOf(check),
    drift_stack_last_run_timestamp: nowSeconds,
  };
}

function firstSeenAfter(check: DriftCheck, earlier: number, nowSeconds: number): number {
  if (check.kind === "clean") return 0;
  if (check.kind === "could-not-check") return earlier;
  return earlier > 0 ? earlier : nowSeconds;
}

function countOf(check: DriftCheck): number | undefined {
  if (check.kind === "could-not-check") return undefined;
  return check.kind === "drift" ? check.changes.length : 0;
}

/** The record, and what is on the host beside what is declared, in the text format of Prometheus. */
export function renderDriftMetrics(stack: string, record: DriftRecord, unmanaged: Unmanaged): string {
  const names = Object.keys(driftMetrics) as (keyof typeof driftMetrics)[];
  const samples = names.flatMap((name) => {
    const value = record[name];
    return value === undefined ? [] : [{ name, labels: { stack }, value }];
  });
  const counts = [...unmanagedCounts(unmanaged)].map(([kind, value]) => ({
    name: "drift_unmanaged_count" as const,
    labels: { stack, kind },
    value,
  }));
  // A run that could not check at all has said so.
  const unchecked =
    record.drift_stack_state === states["could-not-check"]
      ? []
      : [
          {
            name: "drift_unmanaged_unchecked" as const,
            labels: { stack },
            value: uncheckedKinds(unmanaged).length,
          },
        ];
  return renderExposition({ ...driftMetrics, ...unmanagedMetrics }, [...samples, ...counts, ...unchecked]);
}
