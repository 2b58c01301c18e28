import type { Finding } from "./finding.ts";

/** The document that `regwarden repair --undo --json` writes, version 1. Keys are always present. */
export const repairUndoReportSchema = "regwarden/repair-undo/v1";

/** What an undo does with one path, or why it does nothing. */
export const undoStepKinds = [
  /** What the run wrote goes out of the store; it is kept in the undo's own directory. */
  "take-out",
  /** What the run replaced comes back. */
  "put-back",
  /** What the run moved out of the store comes back. */
  "move-back",
  "remove-directory",
  "make-directory",
  /** An image that was pushed since needs it, so it stays. */
  "keep",
  /** It was written since, so it stays. */
  "leave",
  /** This undo took it away, and it turned out to be needed, so it is back. */
  "put-forward",
] as const;
export type UndoStepKind = (typeof undoStepKinds)[number];

export interface RepairUndoStep {
  readonly does: UndoStepKind;
  /** From the directory that was given. */
  readonly path: string;
  /** Of what stays, or is put forward again: why. Null for what is done. */
  readonly reason: string | null;
}

/** What `--apply` came to. */
export interface RepairUndoOutcome {
  /** Steps that were done, and not put forward again. */
  readonly done: number;
  /** What was not done after all, and what was put forward again, each with its reason. */
  readonly exceptions: readonly RepairUndoStep[];
  /** What a scan finds now. */
  readonly left: readonly Finding[];
  /** Of these, what neither the run that was undone had found, nor the scan before this undo. */
  readonly fresh: readonly Finding[];
  /** Directory of the undo's own journal, by which it can be undone. */
  readonly journal: string;
}

export interface RepairUndoReport {
  readonly schema: typeof repairUndoReportSchema;
  /** End of the run, ISO 8601, UTC. */
  readonly finishedAt: string;
  readonly durationSeconds: number;
  /** Directory of the journal that is undone. */
  readonly journal: string;
  readonly steps: readonly RepairUndoStep[];
  /** Null without `--apply`, and when there is nothing to undo. */
  readonly outcome: RepairUndoOutcome | null;
}
