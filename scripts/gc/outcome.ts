import type { GcRemoved, GcReport } from "../../contract/gc-report.ts";
import type { Refusal } from "./plan.ts";

/** What `--apply` did. Maps are by name of the registry. */
export interface GcOutcome {
  /** Name of the run in the quarantine; null when nothing is there. */
  readonly run: string | null;
  /** Of a registry without an entry, nothing was removed, and the report says what would have been. */
  readonly removed: ReadonlyMap<string, GcRemoved>;
  /** Things that stay because clients were told that they exist, or because a push needs them since. */
  readonly touched: ReadonlyMap<string, number>;
  /** Things that the next run removes: this one had no more time. */
  readonly left: ReadonlyMap<string, number>;
  /** Why less was removed than was planned. */
  readonly refused: Refusal | null;
  readonly freezeSeconds: number | null;
  readonly freezeTries: number | null;
  readonly proof: GcReport["proof"];
  /** The signal that ended the run early. */
  readonly interruptedBy: string | undefined;
}
