import { driftMetrics } from "../../contract/metrics.ts";
import type { ResourceChange } from "../changes.ts";

/** What a drift run saw. */
export type DriftLook =
  | { readonly kind: "clean" }
  | { readonly kind: "drift"; readonly changes: readonly ResourceChange[] }
  | { readonly kind: "could-not-look" };

/** One value a metric; undefined leaves the metric out of the group. */
export type DriftRecord = Readonly<Record<keyof typeof driftMetrics, number | undefined>>;

const states = { clean: 0, drift: 1, "could-not-look": 2 } as const;

/**
 * What a run leaves in the Pushgateway.
 *
 * A look that failed says nothing about the drift of before: its time of first sight stays, and there is no count.
 * Units: Unix seconds; `earlierFirstSeen` is 0 where no drift was known.
 */
export function driftRecord(look: DriftLook, earlierFirstSeen: number, nowSeconds: number): DriftRecord {
  const firstSeen = firstSeenAfter(look, earlierFirstSeen, nowSeconds);
  return {
    drift_stack_state: states[look.kind],
    drift_stack_first_seen: firstSeen,
    drift_stack_age_hours: firstSeen === 0 ? 0 : Math.max(0, nowSeconds - firstSeen) / 3600,
    drift_stack_count: countOf(look),
    drift_stack_last_run_timestamp: nowSeconds,
  };
}

function firstSeenAfter(look: DriftLook, earlier: number, nowSeconds: number): number {
  if (look.kind === "clean") return 0;
  if (look.kind === "could-not-look") return earlier;
  return earlier > 0 ? earlier : nowSeconds;
}

function countOf(look: DriftLook): number | undefined {
  if (look.kind === "could-not-look") return undefined;
  return look.kind === "drift" ? look.changes.length : 0;
}

/** The record in the text format of Prometheus. The stack is no label here: the group that it is put into names it. */
export function exposition(record: DriftRecord): string {
  return Object.entries(driftMetrics)
    .map(([name, { help }]) => {
      const value = record[name as keyof DriftRecord];
      return value === undefined ? "" : `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${name} ${value}\n`;
    })
    .join("");
}
